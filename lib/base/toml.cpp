#include "lib/base/toml.h"

#include <algorithm>
#include <toml++/toml.h>

#include "lib/base/error.h"
#include "lib/base/format.h"

namespace llmtool {
namespace {

using Kind = TomlValue::Kind;

struct Reader {
  std::string file;
  std::vector<TomlValue> values;
  std::vector<std::string> key;

  std::string where(const toml::node& node) const {
    return concat(file, ":", node.source().begin.line);
  }

  [[noreturn]] void fail_at(const toml::node& node, std::string_view what) const {
    std::string name;
    for (const std::string& part : key) name += (name.empty() ? "" : ".") + part;
    fail(Fault::kUsage, concat(where(node), ": '", name, "' ", what));
  }

  void append(TomlValue& value, const toml::node& node) const {
    Kind kind = Kind::kTime;
    std::string text;
    if (const auto* s = node.as_string()) {
      kind = Kind::kText;
      text = s->get();
    } else if (const auto* i = node.as_integer()) {
      kind = Kind::kInteger;
      text = concat(static_cast<long long>(i->get()));
    } else if (const auto* f = node.as_floating_point()) {
      kind = Kind::kNumber;
      text = concat(f->get());
    } else if (const auto* b = node.as_boolean()) {
      kind = Kind::kBoolean;
      text = concat(b->get());
    } else if (node.is_table() || node.is_array()) {
      fail_at(node, "holds a list of tables or lists; expected a list of plain values");
    }
    const bool numbers = (kind == Kind::kInteger && value.kind == Kind::kNumber) ||
                         (kind == Kind::kNumber && value.kind == Kind::kInteger);
    if (!value.values.empty() && kind != value.kind && !numbers) {
      fail_at(node, "is a list of several kinds of values; expected one kind");
    }
    value.kind = numbers ? Kind::kNumber : kind;
    value.values.push_back(std::move(text));
  }

  void read_value(const toml::node& node) {
    TomlValue value;
    value.key = key;
    value.where = where(node);
    if (const auto* list = node.as_array()) {
      value.is_list = true;
      for (const toml::node& element : *list) append(value, element);
    } else {
      append(value, node);
    }
    values.push_back(std::move(value));
  }

  void read_node(const toml::node& node) {
    if (node.is_table()) return read_table(*node.as_table());
    const auto* list = node.as_array();
    if (list == nullptr || list->empty() || !list->is_homogeneous(toml::node_type::table)) {
      return read_value(node);
    }
    for (size_t i = 0; i < list->size(); ++i) {
      key.push_back(std::to_string(i));
      read_table(*list->get_as<toml::table>(i));
      key.pop_back();
    }
  }

  void read_table(const toml::table& table) {
    for (const auto& [name, node] : table) {
      key.emplace_back(name.str());
      read_node(node);
      key.pop_back();
    }
  }
};

// toml++ orders keys by name.
int line_of(const TomlValue& v) {
  return std::stoi(v.where.substr(v.where.rfind(':') + 1));
}

}  // namespace

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::kText:
      return "text";
    case Kind::kInteger:
      return "an integer";
    case Kind::kNumber:
      return "a number";
    case Kind::kBoolean:
      return "true or false";
    case Kind::kTime:
      return "a date or time";
  }
  return "?";
}

std::vector<TomlValue> read_toml(const fs::path& path) {
  Reader reader{path.string(), {}, {}};
  try {
    reader.read_table(toml::parse(read_file(path), path.string()));
  } catch (const toml::parse_error& e) {
    const toml::source_position at = e.source().begin;
    fail(Fault::kUsage, concat(path.string(), ":", at.line, ":", at.column, ": ", e.description()),
         "the file has to be TOML (https://toml.io)");
  }
  std::stable_sort(reader.values.begin(), reader.values.end(),
                   [](const TomlValue& a, const TomlValue& b) { return line_of(a) < line_of(b); });
  return std::move(reader.values);
}

namespace {

const Register<Format> toml_format{{"toml", ".toml", "read", "flags of a command (--config)"}};

}  // namespace

}  // namespace llmtool
