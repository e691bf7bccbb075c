// Matrices of bf16 as vectors of pairs: 16 lanes of 32 bits, each two neighbouring k. What the dot
// products of AVX512_BF16 and the tiles of AMX multiply.
#pragma once

#include "kernels/matmul/gemm.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

inline constexpr int64_t kPairsDepth = 2 * kLanes;  // k of a vector of pairs
static_assert(kLanes == 16);

// 16 lanes of 32 bits: two bf16 of neighbouring k.
LLMTOOL_INLINE Vec load_pairs(const bf16* p, int64_t count) {
  const int64_t n = count < 0 ? 0 : smaller(count, kPairsDepth);
  const auto mask = n == kPairsDepth ? ~__mmask32{0} : static_cast<__mmask32>((1u << n) - 1u);
  return {_mm512_castsi512_ps(_mm512_maskz_loadu_epi16(mask, p))};
}

// Lane i: row k of column i in the low half, row k + 1 in the high one.
LLMTOOL_INLINE Vec interleave(const bf16* low, const bf16* high, int64_t count) {
  const __mmask16 mask = count >= kLanes ? static_cast<__mmask16>(0xffff)
                         : count > 0     ? first(count)
                                         : static_cast<__mmask16>(0);
  const __m512i a = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, low));
  const __m512i b = high == nullptr ? _mm512_setzero_si512()
                                    : _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, high));
  return {_mm512_castsi512_ps(_mm512_or_si512(a, _mm512_slli_epi32(b, 16)))};
}

// Numbers of the low half and of the high half in turns.
LLMTOOL_INLINE __m512i interleave_halves(__m512i x) {
  alignas(64) static constexpr uint16_t kOrder[32] = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                      21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                      11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  return _mm512_permutexvar_epi16(_mm512_load_si512(kOrder), x);
}

// The same for 16 columns of two rows that are there.
LLMTOOL_INLINE Vec interleave_whole(const bf16* low, const bf16* high) {
  const __m512i rows = _mm512_inserti64x4(
      _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(low))),
      _mm256_loadu_si256(reinterpret_cast<const __m256i*>(high)), 1);
  return {_mm512_castsi512_ps(interleave_halves(rows))};
}

// Sixteen rows of 32 k from a matrix whose rows run along k: as they are.
LLMTOOL_INLINE void rows_along_k(Vec (&r)[kLanes], const bf16* from, int64_t stride, int64_t rows,
                                 int64_t depth) {
  if (rows >= kLanes && depth == kPairsDepth) {
    for (int64_t i = 0; i < kLanes; ++i) {
      r[i] = load(reinterpret_cast<const float*>(from + i * stride));
    }
    return;
  }
  for (int64_t i = 0; i < kLanes; ++i) {
    r[i] = i < rows ? load_pairs(from + i * stride, depth) : zero();
  }
}

// Sixteen pairs of rows from a matrix whose rows run across k, for 16 columns.
LLMTOOL_INLINE void pairs_across_k(Vec (&r)[kLanes], const bf16* from, int64_t stride,
                                   int64_t columns, int64_t depth) {
  if (columns >= kLanes && depth == kPairsDepth) {
    for (int64_t i = 0; i < kLanes; ++i) {
      r[i] = interleave_whole(from + 2 * i * stride, from + (2 * i + 1) * stride);
    }
    return;
  }
  for (int64_t i = 0; i < kLanes; ++i) {
    const bf16* low = from + 2 * i * stride;
    r[i] = 2 * i >= depth ? zero()
                          : interleave(low, 2 * i + 1 < depth ? low + stride : nullptr, columns);
  }
}

// The pairs of 32 k of a matrix, for 16 of its rows (along_k: rows run along k) or columns:
// r[i] is row i (as_rows) or pair i of k of all of them. `at` is the first row or column; those
// past the end and k past `depth` give zeros.
LLMTOOL_INLINE void load_block(Vec (&r)[kLanes], const View& v, bool along_k, bool as_rows,
                               int64_t at, int64_t k, int64_t depth) {
  const int64_t there = (along_k ? v.rows : v.cols) - at;
  if (there <= 0) {
    for (Vec& x : r) x = zero();
    return;
  }
  if (along_k) {
    rows_along_k(r, v.row<bf16>(at) + k, v.stride, there, depth);
  } else {
    pairs_across_k(r, v.row<bf16>(k) + at, v.stride, there, depth);
  }
  if (along_k != as_rows) transpose(r);
}

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
