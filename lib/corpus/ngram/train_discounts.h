// Discounts of modified Kneser-Ney smoothing (Chen and Goodman 1998, equation 26), as lmplz has
// them: D_j = j - (j + 1) Y n_(j+1) / n_j, Y = n_1 / (n_1 + 2 n_2), in float arithmetic, where n_j
// is how many n-grams of the order have the adjusted count j, pruned ones too.
#pragma once

#include <array>
#include <optional>

#include "lib/corpus/ngram/train_levels.h"

namespace llmtool {

struct Discounts {
  std::array<float, 3> amount = {0.5f, 1.0f, 1.5f};  // of the counts 1, 2, and 3 and more
  bool estimated = false;                            // false: somebody's choice

  float of(uint64_t count) const { return count == 0 ? 0.0f : amount[count < 3 ? count - 1 : 2]; }
  // What is left of a count.
  float apply(uint64_t count) const { return static_cast<float>(count) - of(count); }
};

// Where an n_j is 0, or a D_j lies outside [0, j], the fallback; Fault::kInput if there is none.
Discounts estimate_discounts(const OrderStatistics& statistics, int order,
                             const std::optional<Discounts>& fallback);

}  // namespace llmtool
