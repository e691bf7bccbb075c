// The sums of contexts, and what their n-grams get from them.
#pragma once

#include <span>
#include <vector>

#include "lib/corpus/ngram/train_discounts.h"
#include "lib/corpus/ngram/train_exchange.h"

namespace llmtool {

// Sums over the n-grams of one context.
struct ContextSum {
  uint64_t total = 0;                     // of the counts
  uint64_t lost = 0;                      // of those of marked n-grams
  uint32_t ones = 0, twos = 0, more = 0;  // n-grams that are not marked, by their counts

  void add(const LevelNode& node);
  // What the discounts took and the marked n-grams left, as a share of the total: the weight of
  // shorter n-grams, and the context's back-off. In the float arithmetic of lmplz.
  float weight(const Discounts& discounts) const;
};

// Fills the contexts and answers of all parcels for one part of an exchange between level m and its
// contexts, and writes log10 of the weights of the part's contexts (0 where there is no n-gram) to
// their places in `backoffs`.
void answer_part(const NgramLevels& levels, int m, Exchange& exchange, size_t part,
                 const Discounts& discounts, PositionedFile& backoffs);

}  // namespace llmtool
