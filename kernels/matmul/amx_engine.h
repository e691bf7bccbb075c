// The engine of gemm() on AMX tiles: bf16 operands, f32 sums (TDPBF16PS, Intel SDM vol. 2). A panel
// of A is 32 rows, a panel of B 32 columns: 2 x 2 tiles of sums, two tiles of A and two of B fill
// the eight tile registers. Packed, both are tiles of 1 KiB one after another:
//   A [k / 32][2][16 rows][32 k],   B [k / 32][2][16 pairs of k][16 columns][2].
// Tiles is the unit that computes: the hardware (linear_amx.cpp), or its model in tests.
#pragma once

#include "kernels/matmul/bf16_pairs.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

inline constexpr int64_t kTileRows = kLanes;        // of A and of C; columns of C; pairs of k of B
inline constexpr int64_t kTileDepth = kPairsDepth;  // k of one tile
inline constexpr int64_t kTileElements = kTileRows * kTileDepth;

template <class Tiles>
struct AmxEngine {
  using Element = bf16;
  static constexpr int64_t kMr = 2 * kTileRows, kNr = 2 * kTileRows, kDepth = kTileDepth;

  // A has a row of C in each row of a tile, B a pair of k.
  static void pack(bf16* to, const View& v, bool along_k, bool is_a, int64_t begin, int64_t pitch,
                   int64_t k_begin, int64_t count) {
    for (int64_t k = 0; k < count; k += kTileDepth) {
      for (int64_t half = 0; half < 2; ++half) {
        Vec r[kLanes];
        load_block(r, v, along_k, is_a, begin + half * pitch, k_begin + k,
                   smaller(kTileDepth, count - k));
        for (int64_t i = 0; i < kTileRows; ++i) {
          store(reinterpret_cast<float*>(to) + i * kLanes, r[i]);
        }
        to += kTileElements;
      }
    }
  }
  static void pack_a(bf16* to, const Operand& a, int64_t begin, int64_t k_begin, int64_t count) {
    pack(to, a.view, !a.transposed, true, begin, a.pitch, k_begin, count);
  }
  static void pack_b(bf16* to, const Operand& b, int64_t begin, int64_t k_begin, int64_t count) {
    pack(to, b.view, b.transposed, false, begin, b.pitch, k_begin, count);
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
