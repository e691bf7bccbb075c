// Files that say the licence of other files by patterns: Debian's machine-readable debian/copyright
// (DEP-5, which REUSE takes as .reuse/dep5), and REUSE.toml.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace llmtool {

// Files that match one of the patterns stand under an expression, canonical SPDX.
struct PatternRule {
  std::vector<std::string> patterns;
  std::string expression;
};

struct PatternRules {
  // DEP-5: * matches any characters, "/" among them, ? one, \ takes the next as it is. REUSE.toml:
  // * stops at "/", ** does not.
  enum class Style { kDep5, kReuseToml } style = Style::kDep5;
  std::vector<PatternRule> rules;

  // For a path relative to the folder that the rules are for; of the rules that match it the last
  // counts. Null if none does.
  const PatternRule* find(std::string_view path) const;
};

bool matches_pattern(std::string_view pattern, std::string_view path, PatternRules::Style style);

// What the text of a licence is: canonical SPDX, or empty.
using LicenseOfText = std::function<std::string(std::string_view text)>;

// Paragraphs with Files: and License:. A licence that debian_names.h does not know is what
// license_of_text() makes of the text that stands behind its name, in this paragraph or in one of
// its own; else it is "LicenseRef-debian-<name>". Nothing if the file is not in this form.
std::optional<PatternRules> read_debian_copyright(std::string_view text,
                                                  const LicenseOfText& license_of_text);

// [[annotations]] with path and SPDX-License-Identifier. Nothing if it is not TOML.
std::optional<PatternRules> read_reuse_toml(std::string_view text);

}  // namespace llmtool
