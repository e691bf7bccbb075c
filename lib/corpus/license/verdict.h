// What the findings of one text say together.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/corpus/license/license_match.h"

namespace llmtool {

struct LicenseVerdict {
  std::string expression;  // canonical SPDX; empty: nothing was found
  double confidence = 0;   // the least of the findings that count
  LicenseFinding::Kind kind = LicenseFinding::Kind::kText;  // of the first that counts
  size_t begin = 0, end = 0;                                // where it stands
};

// Tags, texts and statements all hold (AND); an expression of a tag that names every licence of the
// other findings stands for them all ("MIT OR Apache-2.0" above the text of MIT). What is no
// expression is LicenseRef-unknown.
LicenseVerdict verdict_of(const std::vector<LicenseFinding>& findings);

// The same of references ("see the LICENSE file") only. confidence is 0 if there is none, and the
// expression empty if none says which licence.
LicenseVerdict references_of(const std::vector<LicenseFinding>& findings);

// "MIT, see LICENSE", "The Apache Software License, Version 2.0", "Apache-2.0 OR MIT", "MIT/X11":
// what somebody wrote into a field for a licence, as canonical SPDX. Empty if it says nothing or
// points elsewhere, LicenseRef-unknown if nobody knows it.
std::string license_of_field(std::string_view value, const LicenseMatcher& matcher);

// Blanks single, at most `most` bytes and then "...".
std::string quote(std::string_view text, size_t most);

}  // namespace llmtool
