// The inner loop of a product on the vector units: a tile of sums that stays in registers. Dot is
// the instruction, on lanes of 32 bits, see group_engine.h: dot(a, b, acc), kMr and Offset.
#pragma once

#include "kernels/matmul/panels.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

// tile[R][kNr] += a[groups][kMr] * b[groups][kNr]: R rows of a panel of A, a panel of B. The
// elements of a and b are groups.
template <class Dot, int R>
void dot_tile(float* tile, const float* a, const float* b, int64_t groups) {
  Vec acc[R][kNrVectors];
  typename Dot::Offset offset;
  for (int r = 0; r < R; ++r) {
    for (int j = 0; j < kNrVectors; ++j) acc[r][j] = load(tile + r * kNr + j * kLanes);
  }
  for (int64_t k = 0; k < groups; ++k) {
    const Vec b0 = load(b + k * kNr), b1 = load(b + k * kNr + kLanes);
    offset.see(b0, b1);
#pragma GCC unroll 14
    for (int r = 0; r < R; ++r) {
      const Vec x = set1(a[k * Dot::kMr + r]);
      acc[r][0] = Dot::dot(x, b0, acc[r][0]);
      acc[r][1] = Dot::dot(x, b1, acc[r][1]);
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int j = 0; j < kNrVectors; ++j) {
      store(tile + r * kNr + j * kLanes, offset.taken_off(acc[r][j], j));
    }
  }
}

template <class Dot, int R = static_cast<int>(Dot::kMr)>
LLMTOOL_INLINE void dot_rows(int64_t rows, float* tile, const float* a, const float* b,
                             int64_t groups) {
  if constexpr (R > 1) {
    if (rows < R) return dot_rows<Dot, R - 1>(rows, tile, a, b, groups);
  }
  dot_tile<Dot, R>(tile, a, b, groups);
}

// Sums are the products as they are.
struct NoOffset {
  LLMTOOL_INLINE void see(Vec, Vec) {}
  LLMTOOL_INLINE Vec taken_off(Vec sum, int) const { return sum; }
};

// f32: a group is one number.
struct MultiplyAdd {
  using Offset = NoOffset;
  static constexpr int64_t kMr = llmtool::LLMTOOL_ISA_NAMESPACE::kMr;
  LLMTOOL_INLINE static Vec dot(Vec a, Vec b, Vec acc) { return fma(a, b, acc); }
};

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
