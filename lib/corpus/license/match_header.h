// Statements that put a text under a licence without being it, statements that limit or refuse, and
// how findings stand to each other (LicenseFinding::Kind::kHeader, kReference).
#pragma once

#include <string_view>
#include <vector>

#include "lib/corpus/license/license_match.h"
#include "lib/corpus/license/match_text.h"
#include "lib/corpus/license/match_words.h"

namespace llmtool::license {

// Adds the texts and what stands outside of them to the findings, which hold the tags.
void find_headers(std::string_view text, const std::vector<Word>& words,
                  const std::vector<TextMatch>& texts, std::vector<LicenseFinding>& findings);

}  // namespace llmtool::license
