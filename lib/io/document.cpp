#include "lib/io/document.h"

#include <charconv>
#include <simdjson.h>

#include "lib/base/error.h"
#include "lib/io/jsonl.h"

namespace llmtool {
namespace {

namespace dom = simdjson::dom;

// The parser keeps its memory from one document to the next; a result lives until the next call.
dom::element parse_line(std::string_view line) {
  thread_local dom::parser parser;
  return parser.parse(line.data(), line.size());
}

dom::element parse_value(std::string_view json) {
  thread_local dom::parser parser;
  return parser.parse(json.data(), json.size());
}

MemberValue value_of(const dom::element& value) {
  MemberValue found;
  if (value.is_null()) return found;
  found.found = true;
  std::string_view text;
  if (value.is_number()) {
    found.is_number = true;
    found.number = value.get<double>();
  }
  found.text = value.get(text) == simdjson::SUCCESS ? std::string(text) : simdjson::minify(value);
  return found;
}

const std::vector<Attribute>* added_members(const Document& document, std::string_view name) {
  if (name == "metadata") return &document.metadata;
  if (name == "attributes") return &document.attributes;
  return nullptr;
}

const Attribute* find_last(const std::vector<Attribute>& added, std::string_view name) {
  for (auto at = added.rbegin(); at != added.rend(); ++at) {
    if (at->name == name) return &*at;
  }
  return nullptr;
}

MemberValue read_member(const Document& document, std::string_view path) {
  if (document.line.empty()) return {};
  dom::element at = parse_line(document.line);
  while (true) {
    const size_t dot = path.find('.');
    dom::object members;
    if (at.get(members)) return {};
    // A member whose own name has a dot in it is found by the whole rest of the path.
    dom::element next;
    if (!members.at_key(path).get(next)) return value_of(next);
    if (dot == path.npos || members.at_key(path.substr(0, dot)).get(next)) return {};
    at = next;
    path.remove_prefix(dot + 1);
  }
}

class Members {
 public:
  explicit Members(std::string& out) : out_(out) { out_.push_back('{'); }
  void add(std::string_view name, std::string_view json) {
    begin(name);
    out_ += json;
  }
  void add_text(std::string_view name, std::string_view text) {
    begin(name);
    append_json_string(out_, text);
  }
  void begin(std::string_view name) {
    if (!first_) out_.push_back(',');
    first_ = false;
    append_json_string(out_, name);
    out_.push_back(':');
  }
  void end() { out_.push_back('}'); }

 private:
  std::string& out_;
  bool first_ = true;
};

// The object that was there, each value replaced where one of the name was added, then the others.
void append_merged(std::string& out, const dom::element* before,
                   const std::vector<Attribute>& added) {
  Members members(out);
  dom::object object;
  if (before != nullptr && !before->get(object)) {
    for (const auto& [name, value] : object) {
      if (find_last(added, name) == nullptr) members.add(name, simdjson::minify(value));
    }
  }
  for (const Attribute& attribute : added) {
    if (find_last(added, attribute.name) == &attribute) {
      members.add(attribute.name, attribute.json);
    }
  }
  members.end();
}

bool is_unchanged(const Document& document) {
  return !document.line.empty() && !document.text_changed && document.metadata.empty() &&
         document.attributes.empty();
}

bool is_own_member(std::string_view name, std::string_view text_member) {
  return name == "id" || name == text_member || name == "metadata" || name == "attributes";
}

}  // namespace

std::string where(const Document& document) {
  return concat(document.path == "-" ? std::string_view("standard input") : document.path, ":",
                document.line_number);
}

MemberValue member(const Document& document, std::string_view path) {
  check(!path.empty() && path.front() != '.' && path.back() != '.', Fault::kUsage, "'", path,
        "' names no member of a document");
  if (path == "id") return {!document.id.empty(), false, 0, document.id};
  if (path == "text") return {true, false, 0, document.text};
  const size_t dot = path.find('.');
  if (dot != path.npos) {
    const auto* added = added_members(document, path.substr(0, dot));
    const Attribute* found = added ? find_last(*added, path.substr(dot + 1)) : nullptr;
    if (found != nullptr) return value_of(parse_value(found->json));
  }
  return read_member(document, path);
}

MemberValue required_member(const Document& document, std::string_view path) {
  MemberValue value = member(document, path);
  if (!value.found) {
    fail(Fault::kInput, concat(where(document), ": the document has no '", path, "'"),
         "a step before this one has to add it, or the input has to carry it");
  }
  return value;
}

MemberValue url_of(const Document& document) {
  MemberValue url = member(document, "metadata.url");
  return url.found ? url : member(document, "url");
}

std::string json_number(double value) {
  if (!(value - value == 0)) return "null";  // JSON has neither infinity nor NaN
  return concat(value);
}

std::string json_text(std::string_view text) {
  std::string json;
  append_json_string(json, text);
  return json;
}

void append_document(std::string& out, const Document& document) {
  if (is_unchanged(document)) {
    out.append(document.line).push_back('\n');
    return;
  }
  dom::object before;
  const bool has_before = !document.line.empty() && !parse_line(document.line).get(before);
  Members members(out);
  dom::element metadata, attributes;
  const bool has_metadata = has_before && !before.at_key("metadata").get(metadata);
  const bool has_attributes = has_before && !before.at_key("attributes").get(attributes);
  dom::element id;
  if (has_before && !before.at_key("id").get(id)) {
    members.add("id", simdjson::minify(id));
  } else if (!document.id.empty()) {
    members.add_text("id", document.id);
  }
  members.add_text(document.text_member, document.text);
  if (has_metadata || !document.metadata.empty()) {
    members.begin("metadata");
    append_merged(out, has_metadata ? &metadata : nullptr, document.metadata);
  }
  if (has_attributes || !document.attributes.empty()) {
    members.begin("attributes");
    append_merged(out, has_attributes ? &attributes : nullptr, document.attributes);
  }
  if (has_before) {
    for (const auto& [name, value] : before) {
      if (!is_own_member(name, document.text_member)) members.add(name, simdjson::minify(value));
    }
  }
  members.end();
  out.push_back('\n');
}

std::string json_line(std::string_view id, std::string_view text) {
  Document document;
  document.id = id;
  document.text = text;
  std::string line;
  append_document(line, document);
  return line;
}

}  // namespace llmtool
