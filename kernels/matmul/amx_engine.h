// The engine of gemm() on AMX tiles: bf16 operands, f32 sums (TDPBF16PS, Intel SDM vol. 2). A panel
// of A is 32 rows, a panel of B 32 columns: 2 x 2 tiles of sums, two tiles of A and two of B fill
// the eight tile registers. Packed, both are tiles of 1 KiB one after another:
//   A [k / 32][2][16 rows][32 k],   B [k / 32][2][16 pairs of k][16 columns][2].
// Tiles is the unit that computes: the hardware (linear_amx.cpp), or its model in tests.
#pragma once

#include "kernels/matmul/gemm.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

inline constexpr int64_t kTileRows = 16;   // of A and of C; columns of C; pairs of k of B
inline constexpr int64_t kTileDepth = 32;  // k of one tile
inline constexpr int64_t kTileElements = kTileRows * kTileDepth;
static_assert(kLanes == kTileRows);

// 16 lanes of 32 bits: two bf16 of neighbouring k.
LLMTOOL_INLINE Vec load_pairs(const bf16* p, int64_t count) {
  const int64_t n = count < 0 ? 0 : smaller(count, kTileDepth);
  const auto mask = n == kTileDepth ? ~__mmask32{0} : static_cast<__mmask32>((1u << n) - 1u);
  return {_mm512_castsi512_ps(_mm512_maskz_loadu_epi16(mask, p))};
}

// Lane i: row k of column i in the low half, row k + 1 in the high one.
LLMTOOL_INLINE Vec interleave(const bf16* low, const bf16* high, int64_t count) {
  const __mmask16 mask = count >= kTileRows ? static_cast<__mmask16>(0xffff)
                         : count > 0        ? first(count)
                                            : static_cast<__mmask16>(0);
  const __m512i a = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, low));
  const __m512i b = high == nullptr ? _mm512_setzero_si512()
                                    : _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, high));
  return {_mm512_castsi512_ps(_mm512_or_si512(a, _mm512_slli_epi32(b, 16)))};
}

// Sixteen rows of 32 k from a matrix whose rows run along k: as they are.
LLMTOOL_INLINE void rows_along_k(Vec (&r)[kLanes], const bf16* from, int64_t stride, int64_t rows,
                                 int64_t depth) {
  for (int64_t i = 0; i < kTileRows; ++i) {
    r[i] = i < rows ? load_pairs(from + i * stride, depth) : zero();
  }
}

// Sixteen pairs of rows from a matrix whose rows run across k, for 16 columns.
LLMTOOL_INLINE void pairs_across_k(Vec (&r)[kLanes], const bf16* from, int64_t stride,
                                   int64_t columns, int64_t depth) {
  for (int64_t i = 0; i < kTileRows; ++i) {
    const bf16* low = from + 2 * i * stride;
    r[i] = 2 * i >= depth ? zero()
                          : interleave(low, 2 * i + 1 < depth ? low + stride : nullptr, columns);
  }
}

template <class Tiles>
struct AmxEngine {
  using Element = bf16;
  static constexpr int64_t kMr = 2 * kTileRows, kNr = 2 * kTileRows, kDepth = kTileDepth;

  // Both panels want tiles whose row i holds pairs of k; A has a row of C there, B a pair of k.
  // along_k: the rows of the view run along k.
  static void pack(bf16* to, const View& v, bool along_k, bool is_a, int64_t begin, int64_t k_begin,
                   int64_t count) {
    for (int64_t k = 0; k < count; k += kTileDepth) {
      const int64_t depth = smaller(kTileDepth, count - k);
      for (int64_t half = 0; half < 2; ++half) {
        const int64_t at = begin + half * kTileRows;
        const int64_t there = (along_k ? v.rows : v.cols) - at;
        Vec r[kLanes];
        if (along_k) {
          rows_along_k(r, there > 0 ? v.row<bf16>(at) + k_begin + k : nullptr, v.stride, there,
                       depth);
        } else if (there > 0) {
          pairs_across_k(r, v.row<bf16>(k_begin + k) + at, v.stride, there, depth);
        } else {
          for (Vec& x : r) x = zero();
        }
        if (along_k != is_a) transpose(r);
        for (int64_t i = 0; i < kTileRows; ++i) {
          store(reinterpret_cast<float*>(to) + i * kLanes, r[i]);
        }
        to += kTileElements;
      }
    }
  }
  static void pack_a(bf16* to, const Operand& a, int64_t begin, int64_t k_begin, int64_t count) {
    pack(to, a.view, !a.transposed, true, begin, k_begin, count);
  }
  static void pack_b(bf16* to, const Operand& b, int64_t begin, int64_t k_begin, int64_t count) {
    pack(to, b.view, b.transposed, false, begin, k_begin, count);
  }

  // Tiles 0-3: sums of (row half, column half); 4, 5: A; 6, 7: B.
  static void multiply(int64_t rows, float* tile, const bf16* a, const bf16* b, int64_t count) {
    constexpr int64_t kRow = kNr * static_cast<int64_t>(sizeof(float));  // bytes
    constexpr int64_t kPackedRow = 64;
    float* lower = tile + kTileRows * kNr;
    const bool both = rows > kTileRows;
    Tiles::template load<0>(tile, kRow);
    Tiles::template load<1>(tile + kTileRows, kRow);
    if (both) {
      Tiles::template load<2>(lower, kRow);
      Tiles::template load<3>(lower + kTileRows, kRow);
    }
    for (int64_t k = 0; k < count; k += kTileDepth) {
      Tiles::template load<6>(b, kPackedRow);
      Tiles::template load<7>(b + kTileElements, kPackedRow);
      Tiles::template load<4>(a, kPackedRow);
      Tiles::template multiply_add<0, 4, 6>();
      Tiles::template multiply_add<1, 4, 7>();
      if (both) {
        Tiles::template load<5>(a + kTileElements, kPackedRow);
        Tiles::template multiply_add<2, 5, 6>();
        Tiles::template multiply_add<3, 5, 7>();
      }
      a += 2 * kTileElements;
      b += 2 * kTileElements;
    }
    Tiles::template save<0>(tile, kRow);
    Tiles::template save<1>(tile + kTileRows, kRow);
    if (both) {
      Tiles::template save<2>(lower, kRow);
      Tiles::template save<3>(lower + kTileRows, kRow);
    }
  }
  static void begin() { Tiles::configure(); }
  static void end() { Tiles::release(); }
};

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
