// Licence texts inside a text (LicenseFinding::Kind::kText).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/corpus/license/match_fingerprints.h"
#include "lib/corpus/license/match_words.h"

namespace llmtool::license {

struct TextMatch {
  std::string expression;
  double similarity = 0;
  // Of the words of the text, skipped ones included: with title and appendix, and without.
  uint32_t begin = 0, end = 0, body_begin = 0, body_end = 0;
};

// Best first chosen, none overlapping another by more than a quarter, in order of begin. The words
// are those of the text; time is linear in their number.
//
// A run of 4 words that stands in a licence is an anchor. Anchors of one licence in its order and
// at about its distances are a chain; the best chains of each stretch of the text are aligned word
// by word. Of alignments that overlap the one with the highest matched - 2 * (missing + added)
// words stands, a title before it and an appendix behind it counting half. It is named if its
// similarity is at least 0.9 (0.93 for licences under 30 words) and no change is one of substance
// (changed()); otherwise, from 0.75 on, it is LicenseRef-unknown.
std::vector<TextMatch> find_texts(const Fingerprints& fingerprints, const std::vector<Word>& words);

}  // namespace llmtool::license
