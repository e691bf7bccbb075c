// The engine of gemm() on the dot products of AVX512_BF16: bf16 operands, f32 sums, two k an
// instruction (VDPBF16PS, Intel SDM vol. 2; it takes denormals for zero). Packed, a panel is
//   A [k / 2][kMr][2],   B [k / 2][kNr][2].
#pragma once

#include "kernels/matmul/bf16_pairs.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

// acc + the products of the pairs of a and b.
LLMTOOL_INLINE Vec dot_pairs(Vec a, Vec b, Vec acc) {
  return {
      _mm512_dpbf16_ps(acc.v, reinterpret_cast<__m512bh>(a.v), reinterpret_cast<__m512bh>(b.v))};
}

// tile[R][kNr] += a[k / 2][kMr] * b[k / 2][kNr]: R rows of a panel of A, a panel of B. The elements
// of a and b are pairs in 32 bits.
template <int R>
void dot_tile(float* tile, const float* a, const float* b, int64_t pairs) {
  Vec acc[R][kNrVectors];
  for (int r = 0; r < R; ++r) {
    for (int j = 0; j < kNrVectors; ++j) acc[r][j] = load(tile + r * kNr + j * kLanes);
  }
  for (int64_t k = 0; k < pairs; ++k) {
    const Vec b0 = load(b + k * kNr), b1 = load(b + k * kNr + kLanes);
#pragma GCC unroll 14
    for (int r = 0; r < R; ++r) {
      const Vec x = set1(a[k * kMr + r]);
      acc[r][0] = dot_pairs(x, b0, acc[r][0]);
      acc[r][1] = dot_pairs(x, b1, acc[r][1]);
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int j = 0; j < kNrVectors; ++j) store(tile + r * kNr + j * kLanes, acc[r][j]);
  }
}

template <int R = static_cast<int>(kMr)>
LLMTOOL_INLINE void dot_rows(int64_t rows, float* tile, const float* a, const float* b,
                             int64_t pairs) {
  if constexpr (R > 1) {
    if (rows < R) return dot_rows<R - 1>(rows, tile, a, b, pairs);
  }
  dot_tile<R>(tile, a, b, pairs);
}

struct DotEngine {
  using Element = bf16;
  static constexpr int64_t kMr = llmtool::LLMTOOL_ISA_NAMESPACE::kMr;
  static constexpr int64_t kNr = llmtool::LLMTOOL_ISA_NAMESPACE::kNr;
  static constexpr int64_t kDepth = 2;

  static void pack(bf16* to, int64_t width, const View& v, bool along_k, int64_t begin,
                   int64_t pitch, int64_t k_begin, int64_t count) {
    auto* pairs = reinterpret_cast<float*>(to);
    for (int64_t k = 0; k < count; k += kPairsDepth, pairs += kLanes * width) {
      const int64_t depth = smaller(kPairsDepth, count - k);
      for (int64_t i = 0; i < width; i += kLanes) {
        Vec r[kLanes];
        load_block(r, v, along_k, /*as_rows=*/false, begin + i / kLanes * pitch, k_begin + k,
                   depth);
        const int64_t lanes = smaller(kLanes, width - i);
        for (int64_t j = 0; j < ceil_div(depth, 2); ++j) {
          store_lanes(pairs + j * width + i, r[j], lanes);
        }
      }
    }
  }
  static void pack_a(bf16* to, const Operand& a, int64_t begin, int64_t k_begin, int64_t count) {
    pack(to, kMr, a.view, !a.transposed, begin, a.pitch, k_begin, count);
  }
  static void pack_b(bf16* to, const Operand& b, int64_t begin, int64_t k_begin, int64_t count) {
    pack(to, kNr, b.view, b.transposed, begin, b.pitch, k_begin, count);
  }
  static void multiply(int64_t rows, float* tile, const bf16* a, const bf16* b, int64_t count) {
    dot_rows(rows, tile, reinterpret_cast<const float*>(a), reinterpret_cast<const float*>(b),
             ceil_div(count, 2));
  }
  static void begin() {}
  static void end() {}
};

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
