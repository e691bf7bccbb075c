// Words of a text aligned with those of a licence, by Myers' O(ND) difference (1986).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lib/corpus/license/match_fingerprints.h"

namespace llmtool::license {

// Words of the licence [missing_begin, missing_end) for which the text has [added_begin,
// added_end); one of them may be empty.
struct Edit {
  uint32_t missing_begin = 0, missing_end = 0;
  uint32_t added_begin = 0, added_end = 0;
  bool name = false;  // only a name that may stand here
};

struct Alignment {
  uint32_t begin = 0, end = 0;                              // words of the text
  uint32_t matched = 0, missing = 0, added = 0, names = 0;  // words; names are not among the added
  std::vector<Edit> edits;                                  // in order, adjacent ones joined

  // 1 - (missing + added) / (words of the licence + words of the text without names).
  double similarity() const;
};

// The whole body of a licence on the part of the text around the place where word `at` of the body
// stands as word `place` of the text; both ends on the text are free. False if more than a third of
// the words (of long texts fewer) differ. Scratch memory is the caller's, to be used again.
struct AlignScratch {
  std::vector<int32_t> furthest, trace;
};
bool align(const Template& licence, std::span<const uint16_t> text, uint32_t at, uint32_t place,
           AlignScratch& scratch, Alignment& out);

// How far the text from `place` on (backwards: up to it) is `part`: matched words less twice the
// others, and where that ends. 0 and place if they have nothing in common.
struct Extension {
  int score = 0;
  uint32_t place = 0;
};
Extension extend(std::span<const uint16_t> part, std::span<const uint16_t> text, uint32_t place,
                 bool backwards, AlignScratch& scratch);

}  // namespace llmtool::license
