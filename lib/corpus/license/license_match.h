// Which licences a text stands under, by what the text itself says: tags, full licence texts,
// header statements. Nothing here looks at other files (`license scan` inherits down the tree).
//
// Words: runs of ASCII letters and digits and of other scripts, in lower case; punctuation, comment
// leaders (//, #, *, --, ;, %, rem, dnl, .\"), markup (<...>, &...;), list bullets and whole
// copyright lines do not count, "licence" is "license".
//
// Several findings of one text all hold (AND), but where the expression of one says OR. A finding
// inside the text of another is not reported: the notice in the appendix of the GPL is no finding.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace llmtool {

// What stands for no licence of the SPDX list, in LicenseFinding::expression.
// A text that grants or limits rights and that nobody knows, or a known one that somebody changed
// in its substance: a condition added, a permission taken away.
inline constexpr std::string_view kUnknownLicense = "LicenseRef-unknown";
// "All rights reserved", "proprietary", "confidential", and no grant anywhere in the text.
inline constexpr std::string_view kProprietaryLicense = "LicenseRef-proprietary";
// A limit that stands beside a licence: "for non-commercial use only", the Commons Clause.
inline constexpr std::string_view kRestriction = "LicenseRef-restricted";
// A dedication that is not one of the list's texts: "This file is in the public domain."
inline constexpr std::string_view kPublicDomain = "LicenseRef-public-domain";

struct LicenseFinding {
  // kTag: "SPDX-License-Identifier: ...". kText: (most of) the words of a licence. kHeader: a
  // statement that puts the text under a licence without being it. kReference: "see the LICENSE
  // file", "BSD-style license that can be found in the LICENSE file": the licence stands elsewhere;
  // the expression is then what is said of it ("BSD-3-Clause"), or empty.
  enum class Kind { kTag, kText, kHeader, kReference };

  // An SPDX expression. From a tag: as it is written there, blanks single. From a text that several
  // identifiers share (GPL-2.0-only, GPL-2.0-or-later), the one that grants least
  // (data/licenses/README.md lists them). "BSD" or "GPL" without a version is the least grant of
  // its family: "BSD-3-Clause", "GPL-1.0-or-later".
  std::string expression;
  Kind kind = Kind::kText;
  // 0 to 1. kTag 1. kText: the share of words that agree, 1 - (words added + words missing) /
  // (words of the licence + words of the text it stands on); a name is given from 0.9 on, under
  // 0.75 nothing is reported. kHeader 0.95 for a whole statement ("either version 2 of the License,
  // or (at your option) any later version"), 0.8 for a short one ("License: MIT"). kReference 0.6.
  double confidence = 0;
  size_t begin = 0, end = 0;  // the bytes of the text it stands on
};

// The name of a kind: "tag", "text", "header", "reference".
std::string_view to_string(LicenseFinding::Kind kind);

// Recognises licences; const and thread-safe. Takes any bytes; time and memory are linear in their
// number.
class LicenseMatcher {
 public:
  // Over data/licenses/, read once.
  static const LicenseMatcher& shipped();

  // Over fingerprints as data/licenses/ has them. Bad bytes: Fault::kInput.
  explicit LicenseMatcher(std::string_view fingerprints);
  ~LicenseMatcher();

  // In order of begin.
  std::vector<LicenseFinding> find(std::string_view text) const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

struct TextSpan {
  size_t begin = 0, end = 0;  // bytes
};

// Copyright notices, a line each, without comment leaders and blanks around: "Copyright (c) 2020 A
// B", "(c) 2019-2021 A B", "SPDX-FileCopyrightText: 2020 A B"; a sentence about copyright ("the
// above copyright notice") is none. In order.
std::vector<TextSpan> find_copyright_notices(std::string_view text);

}  // namespace llmtool
