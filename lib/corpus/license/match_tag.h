// SPDX-License-Identifier tags (LicenseFinding::Kind::kTag).
#pragma once

#include <string_view>
#include <vector>

#include "lib/corpus/license/license_match.h"
#include "lib/corpus/license/match_words.h"

namespace llmtool::license {

// The longest expression that stands behind the tag in its line: identifiers, parentheses, AND, OR,
// WITH. An expression that goes on behind an operator or an open parenthesis is
// LicenseRef-unknown; a tag with nothing like an expression behind it (<license>, {id}) is none.
// Between REUSE-IgnoreStart and REUSE-IgnoreEnd there are none.
std::vector<LicenseFinding> find_tags(std::string_view text, const std::vector<Word>& words);

}  // namespace llmtool::license
