// Token embedding: y[n] = w[ids[n]].
#pragma once

#include "lib/base/error.h"
#include "lib/base/op.h"
#include "lib/base/view.h"

namespace llmtool {

struct Embedding {
  View y;              // (N, C) out, dtype of w
  View w;              // (V, C) f32 or bf16
  const int32_t* ids;  // (N), each in [0, V); on the device of w

  void validate() const {
    LLMTOOL_ASSERT(y.cols == w.cols && y.dtype == w.dtype && (ids != nullptr || y.rows == 0));
  }

  LLMTOOL_INLINE Cost cost() const {
    return {.read = bytes_of(y) + 4 * static_cast<double>(y.rows), .written = bytes_of(y)};
  }
};
inline constexpr Op<Embedding> embedding{"embedding"};

// dw[ids[n]] += dy[n], the rows of one id added in order of n: no atomics, same bits every time.
struct EmbeddingBackward {
  View dw;             // (V, C) f32, in and out
  View dy;             // (N, C) f32 or bf16
  const int32_t* ids;  // (N)

  void validate() const { LLMTOOL_ASSERT(dw.cols == dy.cols && dw.dtype == DType::kF32); }

  // As if every id were another.
  LLMTOOL_INLINE Cost cost() const {
    const double touched = 4 * elements_of(dy);  // bytes of dw
    return {.flops = elements_of(dy),
            .read = bytes_of(dy) + touched + 4 * static_cast<double>(dy.rows),
            .written = touched};
  }
};
inline constexpr Op<EmbeddingBackward> embedding_backward{"embedding_backward"};

}  // namespace llmtool
