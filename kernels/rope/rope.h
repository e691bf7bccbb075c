// Rotary position embedding (Su et al. 2021, arXiv:2104.09864) in the half-split form of Hugging
// Face's Llama: for each head, i < D/2,
//     y[i]       = x[i] * cos[p][i] - x[i + D/2] * sin[p][i]
//     y[i + D/2] = x[i + D/2] * cos[p][i] + x[i] * sin[p][i].
#pragma once

#include "lib/base/error.h"
#include "lib/base/op.h"
#include "lib/base/view.h"

namespace llmtool {

struct Rope {
  View x;                    // (N, H*D) f32 or bf16, in and out
  const int32_t* positions;  // (N), each in [0, P)
  View table;                // (P, D) f32: cos[0..D/2) then sin[0..D/2) of each position
  int64_t head_dim = 0;      // D, even
  bool inverse = false;      // rotates back: the gradient

  void validate() const {
    LLMTOOL_ASSERT(head_dim > 0 && head_dim % 2 == 0 && x.cols % head_dim == 0);
    LLMTOOL_ASSERT(table.cols == head_dim && table.dtype == DType::kF32);
  }

  // Of the table, what the positions of a batch need: a row each at most.
  LLMTOOL_INLINE Cost cost() const {
    const int64_t rows = x.rows < table.rows ? x.rows : table.rows;
    return {.flops = 3 * elements_of(x),
            .read = bytes_of(x) + 4 * static_cast<double>(rows * head_dim + x.rows),
            .written = bytes_of(x)};
  }
};
inline constexpr Op<Rope> rope{"rope"};

}  // namespace llmtool
