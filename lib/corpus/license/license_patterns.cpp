#include "lib/corpus/license/license_patterns.h"

#include <map>
#include <sstream>
#include <toml++/toml.h>

#include "lib/base/error.h"
#include "lib/corpus/license/debian_names.h"
#include "lib/text/ascii.h"

namespace llmtool {
namespace {

std::string_view stripped(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") + 1 - begin);
}

using Paragraph = std::map<std::string, std::string>;

std::vector<Paragraph> paragraphs_of(std::string_view text) {
  std::vector<Paragraph> all(1);
  std::string* value = nullptr;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t colon = line.find(':');
    if (stripped(line).empty()) {
      if (!all.back().empty()) all.emplace_back();
      value = nullptr;
    } else if (line.front() == ' ' || line.front() == '\t') {
      if (value != nullptr) value->append("\n").append(stripped(line));
    } else if (line.front() != '#' && colon != line.npos) {
      value = &all.back()[ascii_lower(line.substr(0, colon))];
      *value = stripped(line.substr(colon + 1));
    }
  }
  return all;
}

// The name of a licence, and its text.
std::pair<std::string, std::string> name_and_text(const std::string& value) {
  const size_t end = std::min(value.find('\n'), value.size());
  return {value.substr(0, end), value.substr(std::min(end + 1, value.size()))};
}

std::string own_license(std::string_view name) {
  std::string id = "LicenseRef-debian-";
  for (const char c : name) {
    const bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '-';
    id.push_back(kept ? c : '-');
  }
  return id;
}

class DebianCopyright {
 public:
  DebianCopyright(std::vector<Paragraph> paragraphs, const LicenseOfText& license_of_text)
      : paragraphs_(std::move(paragraphs)), license_of_text_(license_of_text) {
    for (const Paragraph& p : paragraphs_) {
      const auto license = p.find("license");
      if (license == p.end()) continue;
      auto [name, text] = name_and_text(license->second);
      if (!text.empty()) texts_.try_emplace(ascii_lower(name), std::move(text));
    }
  }

  PatternRules rules() {
    PatternRules all;
    for (const Paragraph& p : paragraphs_) {
      const auto files = p.find("files"), license = p.find("license");
      if (files == p.end() || license == p.end()) continue;
      const auto expression = license_of_debian_names(
          name_and_text(license->second).first, [this](std::string_view n) { return resolve(n); });
      if (!expression) continue;
      all.rules.push_back({patterns_of(files->second), expression->text()});
    }
    return all;
  }

 private:
  static std::vector<std::string> patterns_of(const std::string& value) {
    std::vector<std::string> patterns;
    std::istringstream words(value);
    for (std::string word; words >> word;) {
      if (word.starts_with("./")) word.erase(0, 2);
      if (word.ends_with(',')) word.pop_back();
      patterns.push_back(std::move(word));
    }
    return patterns;
  }

  LicenseExpression resolve(std::string_view name) {
    if (auto known = license_of_debian_name(name)) return std::move(*known);
    const auto text = texts_.find(ascii_lower(name));
    if (text != texts_.end()) {
      const auto found = LicenseExpression::parse(license_of_text_(text->second));
      if (found) return *found;
    }
    return LicenseExpression::license(own_license(name));
  }

  std::vector<Paragraph> paragraphs_;
  const LicenseOfText& license_of_text_;
  std::map<std::string, std::string> texts_;  // by the name in lower case
};

void add_strings(const toml::node* node, std::vector<std::string>& out) {
  if (node == nullptr) return;
  if (const auto* one = node->as_string()) out.push_back(one->get());
  if (const auto* list = node->as_array()) {
    for (const toml::node& item : *list) {
      if (const auto* text = item.as_string()) out.push_back(text->get());
    }
  }
}

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view path, PatternRules::Style style) {
  const bool is_toml = style == PatternRules::Style::kReuseToml;
  // Behind the last star, and how much of the path it takes; on a mismatch it takes one more. One
  // star is enough to remember where stars match anything; where * stops at "/", also the last **.
  struct Star {
    size_t pattern = std::string_view::npos, path = 0;
  } star, wide_star;
  size_t p = 0, at = 0;
  while (at < path.size() || p < pattern.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      const bool is_wide = !is_toml || pattern.substr(p).starts_with("**");
      while (p < pattern.size() && pattern[p] == '*') ++p;
      if (is_wide) {
        wide_star = {p, at};
        star = {};
      } else {
        star = {p, at};
      }
      continue;
    }
    if (p < pattern.size() && at < path.size()) {
      const bool escaped = pattern[p] == '\\' && p + 1 < pattern.size();
      const char c = pattern[p + (escaped ? 1 : 0)];
      if (c == path[at] || (c == '?' && !escaped && !is_toml)) {
        p += escaped ? 2 : 1;
        ++at;
        continue;
      }
    }
    if (star.pattern != pattern.npos && star.path < path.size() && path[star.path] != '/') {
      at = ++star.path;
      p = star.pattern;
    } else if (wide_star.pattern != pattern.npos && wide_star.path < path.size()) {
      at = ++wide_star.path;
      p = wide_star.pattern;
      star = {};
    } else {
      return false;
    }
  }
  return true;
}

const PatternRule* PatternRules::find(std::string_view path) const {
  for (size_t i = rules.size(); i-- > 0;) {
    for (const std::string& pattern : rules[i].patterns) {
      if (matches_pattern(pattern, path, style)) return &rules[i];
    }
  }
  return nullptr;
}

std::optional<PatternRules> read_debian_copyright(std::string_view text,
                                                  const LicenseOfText& license_of_text) {
  std::vector<Paragraph> paragraphs = paragraphs_of(text);
  const auto format = paragraphs.front().find("format");
  if (format == paragraphs.front().end() ||
      format->second.find("copyright-format") == std::string::npos) {
    return {};
  }
  return DebianCopyright(std::move(paragraphs), license_of_text).rules();
}

std::optional<PatternRules> read_reuse_toml(std::string_view text) {
  PatternRules all;
  all.style = PatternRules::Style::kReuseToml;
  try {
    const toml::table file = toml::parse(text);
    const toml::array* annotations = file["annotations"].as_array();
    if (annotations == nullptr) return all;
    for (const toml::node& node : *annotations) {
      const toml::table* annotation = node.as_table();
      if (annotation == nullptr) continue;
      PatternRule rule;
      std::vector<std::string> ids;
      add_strings(annotation->get("path"), rule.patterns);
      add_strings(annotation->get("SPDX-License-Identifier"), ids);
      std::vector<LicenseExpression> parts;
      for (const std::string& id : ids) {
        auto part = LicenseExpression::parse(id);
        parts.push_back(part ? std::move(*part) : LicenseExpression::license("LicenseRef-unknown"));
      }
      if (parts.empty()) continue;
      rule.expression = LicenseExpression::all_of(std::move(parts)).text();
      all.rules.push_back(std::move(rule));
    }
  } catch (const toml::parse_error&) {
    return {};
  }
  return all;
}

}  // namespace llmtool
