// The repeats of a text, found in bounded memory.
//
// A window of L units is a repeat if an equal window lies wholly before it: in the text, or in that
// of an index. Windows that overlap do not make each other repeats: of "aaaa..." the first L units
// stay. Repeats are what these windows cover; with keep_first false, also what the windows cover
// that have an equal one behind them. Text of an index comes first and is never removed.
//
// Three external sorts and one read of the parts of the text that may repeat:
//   1. Anchors by (hash, region). Regions with equal hashes of 128 bits are copies of each other:
//      all but the first are repeats, and their windows need no further look. A hash with only one
//      region has no other equal windows.
//   2. Where a hash has several regions, the windows of the first copy of each, by their hash (two
//      polynomials modulo 2^61 - 1, of which the first has 61 bits and the second 61).
//   3. The repeats by place; runs of them are compared with the text they repeat, unit by unit, so
//      that colliding hashes take nothing away.
// All of it is linear in the text but for the sorts, also where everything repeats.
#pragma once

#include <string>

#include "lib/base/external_sort.h"
#include "lib/corpus/dedup/substring_anchors.h"
#include "lib/corpus/dedup/substring_index.h"

namespace llmtool {

struct ByteRange {
  uint64_t begin, end;

  auto operator<=>(const ByteRange&) const = default;
};

struct RepeatCounts {
  uint64_t anchors = 0;  // of this run
  uint64_t copies = 0;   // regions that repeat whole
  uint64_t windows = 0;  // looked at one by one
  uint64_t refused = 0;  // bytes that had equal hashes and were not equal
  uint64_t bytes = 0;    // that repeat, of this run
};

struct RepeatFiles {
  fs::path text;         // in: of this run
  fs::path anchors;      // in: of this run, begins count from the end of the index's text
  fs::path repeats;      // out: ByteRange, disjoint, in order; places in `text`
  fs::path new_anchors;  // out: for the index; empty: not written
};

// index may be nullptr. Anchors are those of one document after the other; between two documents
// the text has something that no word contains.
RepeatCounts find_repeats(const RepeatFiles& files, const SubstringRule& rule,
                          const SubstringIndex* index, const SortPlace& place);

}  // namespace llmtool
