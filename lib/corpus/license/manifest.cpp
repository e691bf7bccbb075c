// The licence in the manifests of packages.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <toml++/toml.h>

#include "lib/base/error.h"
#include "lib/corpus/license/expression.h"
#include "lib/corpus/license/license_source.h"
#include "lib/corpus/license/verdict.h"
#include "lib/io/json_depth.h"

namespace llmtool {
namespace {

// Fields of licences: any one may be chosen (lists), or all hold.
std::string joined(const std::vector<std::string>& fields, bool either,
                   const LicenseMatcher& matcher) {
  std::vector<LicenseExpression> parts;
  for (const std::string& field : fields) {
    auto part = LicenseExpression::parse(license_of_field(field, matcher));
    if (part) parts.push_back(std::move(*part));
  }
  if (parts.empty()) return {};
  return (either ? LicenseExpression::any_of(std::move(parts))
                 : LicenseExpression::all_of(std::move(parts)))
      .text();
}

void add_json(const nlohmann::json& value, std::vector<std::string>& fields) {
  if (value.is_string()) fields.push_back(value.get<std::string>());
  if (value.is_object() && value.contains("type") && value["type"].is_string()) {
    fields.push_back(value["type"].get<std::string>());
  }
}

// package.json and composer.json: "license" is a text, {"type": ...} or a list to choose from.
std::string of_json(std::string_view text, const LicenseMatcher& matcher) {
  if (nests_too_deeply(text)) return {};
  const auto file = nlohmann::json::parse(text, nullptr, false);
  if (!file.is_object()) return {};
  std::vector<std::string> fields;
  for (const char* name : {"license", "licenses"}) {
    const auto value = file.find(name);
    if (value == file.end() || !fields.empty()) continue;
    if (value->is_array()) {
      for (const auto& item : *value) add_json(item, fields);
    } else {
      add_json(*value, fields);
    }
  }
  return joined(fields, true, matcher);
}

void add_toml(toml::node_view<const toml::node> value, std::vector<std::string>& fields) {
  if (!fields.empty()) return;
  if (const auto* text = value.as_string()) fields.push_back(text->get());
  if (const auto* text = value["text"].as_string()) fields.push_back(text->get());
}

// Cargo.toml, pyproject.toml.
std::string of_toml(std::string_view text, const LicenseMatcher& matcher) {
  std::vector<std::string> fields;
  try {
    const toml::table file = toml::parse(text);
    const toml::node_view<const toml::node> top(file);
    add_toml(top["package"]["license"], fields);
    add_toml(top["workspace"]["package"]["license"], fields);
    add_toml(top["project"]["license"], fields);
    add_toml(top["tool"]["poetry"]["license"], fields);
  } catch (const toml::parse_error&) {
    return {};
  }
  return joined(fields, false, matcher);
}

// "license = MIT" of setup.cfg, "License: GPL (>= 2)" of R's DESCRIPTION: the first such line.
std::string of_lines(std::string_view text, std::string_view key, char separator,
                     const LicenseMatcher& matcher) {
  for (; !text.empty(); text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1)) {
    std::string_view line = text.substr(0, text.find('\n'));
    if (!line.starts_with(key)) continue;
    line.remove_prefix(key.size());
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    if (line.starts_with(separator)) return joined({std::string(line.substr(1))}, false, matcher);
  }
  return {};
}

// "MIT + file LICENSE", "GPL (>= 2)", "GPL-2 | MIT".
std::string of_r(std::string_view text, const LicenseMatcher& matcher) {
  const size_t at = text.starts_with("License:") ? 0 : text.find("\nLicense:");
  if (at == text.npos || text.find("Package:") == text.npos) return {};
  std::string_view line = text.substr(text.find(':', at) + 1);
  line = line.substr(0, line.find('\n'));
  std::vector<std::string> fields;
  while (true) {
    const size_t end = std::min(line.find('|'), line.size());
    std::string field(line.substr(0, end));
    field = field.substr(0, field.find('+'));
    if (const size_t least = field.find("(>="); least != field.npos) {
      std::string version = field.substr(least + 3);
      version = version.substr(0, version.find(')'));
      std::erase(version, ' ');
      field = field.substr(0, least);
      std::erase(field, ' ');
      field += concat("-", version, "+");
    }
    fields.push_back(std::move(field));
    if (end == line.size()) break;
    line.remove_prefix(end + 1);
  }
  return joined(fields, true, matcher);
}

// <licenses><license><name>...</name></license>...</licenses>
std::string of_pom(std::string_view text, const LicenseMatcher& matcher) {
  const size_t begin = text.find("<licenses>");
  if (begin == text.npos) return {};
  std::string_view part = text.substr(begin, text.find("</licenses>", begin) - begin);
  std::vector<std::string> fields;
  for (size_t at = part.find("<name>"); at != part.npos; at = part.find("<name>", at)) {
    at += 6;
    fields.emplace_back(part.substr(at, part.find('<', at) - at));
  }
  return joined(fields, true, matcher);
}

}  // namespace

std::string license_of_manifest(std::string_view name, std::string_view text,
                                const LicenseMatcher& matcher) {
  constexpr size_t kMostBytes = size_t{1} << 20;
  text = text.substr(0, kMostBytes);
  std::string key(name);
  for (char& c : key) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  if (key.ends_with(".json")) return of_json(text, matcher);
  if (key.ends_with(".toml")) return of_toml(text, matcher);
  if (key == "setup.cfg") return of_lines(text, "license", '=', matcher);
  if (key == "pom.xml") return of_pom(text, matcher);
  return of_r(text, matcher);
}

}  // namespace llmtool
