// How the licences that one text names stand to each other: a choice, or one with an exception.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "lib/corpus/license/license_match.h"
#include "lib/corpus/license/match_phrase.h"

namespace llmtool::license {

inline constexpr size_t kMostUnits = 2000;  // of one text; what follows is not looked at

struct Unit {
  LicenseFinding finding;
  uint32_t begin = 0, end = 0;  // words
  bool family_only = false;     // the name of a family without a version
  bool dropped = false;
};

// Brings the units into the order of the text, adds the exceptions among the sayings to the GNU
// licence before them (or behind, where none is before) as "... WITH ...", and joins units that are
// a choice into "A OR B":
//   - up to 6 words between them with an "or", or nothing but a "/" or "|";
//   - "dual licensed" up to 15 words before the first or between, up to 12 words apart;
//   - "under either", "choice of", "may choose" up to 30 words before the first, up to 250 apart;
//   - "alternatively" between them, up to 30 words before the second.
void combine(const std::vector<Word>& words, std::string_view text,
             const std::vector<Saying>& sayings, std::vector<Unit>& units);

}  // namespace llmtool::license
