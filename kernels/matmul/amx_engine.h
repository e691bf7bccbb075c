// The engines of gemm() on AMX tiles: bf16 with f32 sums (TDPBF16PS, Intel SDM vol. 2), int8 with
// int32 sums (TDPBSSD). A panel of A is 32 rows, a panel of B 32 columns: 2 x 2 tiles of sums, two
// tiles of A and two of B fill the eight tile registers. Packed, both are tiles of 1 KiB one after
// another, of d = 32 bf16 or 64 int8 along k in groups of g = 2 or 4:
//   A [k / d][2][16 rows][d],   B [k / d][2][16 groups of k][16 columns][g].
// Tiles is the unit that computes: the hardware (amx_tiles.h), or its model in tests.
#pragma once

#include "kernels/matmul/bf16_pairs.h"
#include "kernels/matmul/int8_product.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

inline constexpr int64_t kTileRows = kLanes;  // of A and of C; columns of C; groups of k of B

struct TilesOfBf16 {
  using Element = bf16;
  static constexpr DType kDType = DType::kBF16;
  LLMTOOL_INLINE static void load(Vec (&r)[kLanes], const View& v, bool along_k, bool as_rows,
                                  int64_t at, int64_t k, int64_t depth) {
    load_block(r, v, along_k, as_rows, at, k, depth);
  }
};

struct TilesOfInt8 {
  using Element = int8_t;
  static constexpr DType kDType = DType::kI8;
  LLMTOOL_INLINE static void load(Vec (&r)[kLanes], const View& v, bool, bool as_rows, int64_t at,
                                  int64_t k, int64_t depth) {
    load_int8_block(r, v, as_rows, at, k, depth, int8_lanes);
  }
};

template <class Tiles, class Numbers>
struct AmxEngine {
  using Element = typename Numbers::Element;
  static constexpr int64_t kTileDepth = 64 / static_cast<int64_t>(sizeof(Element));
  static constexpr int64_t kTileElements = kTileRows * kTileDepth;
  static constexpr int64_t kMr = 2 * kTileRows, kNr = 2 * kTileRows, kDepth = kTileDepth;
  static constexpr int64_t kRowsInPlace = kMr;  // tiles are loaded whole
  static constexpr int64_t kKeptOfA = int64_t{1} << 20;
  static constexpr bool kFinishes = false;  // tile registers are read through memory
  static constexpr bool kHoldsA = true;

  // A has a row of C in each row of a tile, B a group of k.
  static void pack(Element* to, const View& v, bool along_k, bool is_a, int64_t begin,
                   int64_t pitch, int64_t k_begin, int64_t count) {
    for (int64_t k = 0; k < count; k += kTileDepth) {
      for (int64_t half = 0; half < 2; ++half) {
        Vec r[kLanes];
        Numbers::load(r, v, along_k, is_a, begin + half * pitch, k_begin + k,
                      smaller(kTileDepth, count - k));
        for (int64_t i = 0; i < kTileRows; ++i) {
          store(reinterpret_cast<float*>(to) + i * kLanes, r[i]);
        }
        to += kTileElements;
      }
    }
  }
  static void pack_a(Element* to, const Operand& a, int64_t begin, int64_t k_begin, int64_t count) {
    pack(to, a.view, !a.transposed, true, begin, a.pitch, k_begin, count);
  }
  static void pack_a_across(Element* to, int64_t stride, int64_t panels, const Operand& a,
                            int64_t begin, int64_t k_begin, int64_t count) {
    for (int64_t k = 0; k < count; k += kTileDepth) {
      for (int64_t p = 0; p < panels; ++p) {
        pack_a(to + p * stride + k * kMr, a, begin + p * kMr, k_begin + k,
               smaller(kTileDepth, count - k));
      }
    }
  }
  static void pack_b(Element* to, const Operand& b, int64_t begin, int64_t k_begin, int64_t count) {
    pack(to, b.view, b.transposed, false, begin, b.pitch, k_begin, count);
  }

  static void multiply(int64_t rows, const Sums& sums, const Element* a, const Element* b,
                       int64_t count) {
    multiply_tiles<false>(rows, sums, packed(a), b, count, Nothing{});
  }
  // The same, beside other work: see held_a.h.
  template <class Meanwhile>
  static void multiply_beside(int64_t rows, const Sums& sums, const Element* a, const Element* b,
                              int64_t count, Meanwhile& meanwhile) {
    multiply_tiles<false>(rows, sums, packed(a), b, count, meanwhile);
  }
  static bool reads_in_place(const View& a) {
    return a.dtype == Numbers::kDType && !rows_share_cache_sets(a);
  }
  static void multiply_in_place(int64_t rows, const Sums& sums, const Element* a, int64_t stride,
                                const Element* b, int64_t count) {
    multiply_tiles<false>(rows, sums, in_place(a, stride), b, count, Nothing{});
  }
  // Rows of A, packed or, with a stride, as they lie; B is read once while A stays in L1.
  template <class Meanwhile>
  static void multiply_panels(int64_t rows, const Sums& sums, const Element* a, int64_t stride,
                              const Element* b, int64_t count, Meanwhile& meanwhile) {
    multiply_tiles<true>(rows, sums, stride == 0 ? packed(a) : in_place(a, stride), b, count,
                         meanwhile);
  }

  // Where the tiles of A are: elements to the lower one and to those of the next k, bytes from a
  // row of a tile to the next.
  struct TilesOfA {
    const Element* at;
    int64_t lower, next, row;
  };
  static constexpr int64_t kPackedRow = 64;
  static TilesOfA packed(const Element* a) {
    return {a, kTileElements, 2 * kTileElements, kPackedRow};
  }
  // A tile of A is 16 rows of 64 bytes as they lie.
  static TilesOfA in_place(const Element* a, int64_t stride) {
    return {a, kTileRows * stride, kTileDepth, stride * static_cast<int64_t>(sizeof(Element))};
  }

  struct Nothing {
    LLMTOOL_INLINE void begin(int64_t) const {}
    LLMTOOL_INLINE void step(int64_t) const {}
    LLMTOOL_INLINE void end() const {}
  };

  // Tiles 0-3: sums of (row half, column half); 4, 5: A; 6, 7: B.
  template <bool kStreamsB, class Meanwhile>
  static void multiply_tiles(int64_t rows, const Sums& sums, TilesOfA a, const Element* b,
                             int64_t count, Meanwhile&& meanwhile) {
    constexpr int64_t kRow = kNr * static_cast<int64_t>(sizeof(float));  // bytes
    float *tile = sums.tile, *lower = tile + kTileRows * kNr;
    const bool both = rows > kTileRows;
    if (sums.from_zero) {
      Tiles::template clear<0>();
      Tiles::template clear<1>();
      Tiles::template clear<2>();
      Tiles::template clear<3>();
    } else {
      Tiles::template load<0>(tile, kRow);
      Tiles::template load<1>(tile + kTileRows, kRow);
      if (both) {
        Tiles::template load<2>(lower, kRow);
        Tiles::template load<3>(lower + kTileRows, kRow);
      }
    }
    meanwhile.begin(ceil_div(count, kTileDepth));
    for (int64_t k = 0; k < count; k += kTileDepth) {
      // Tiles are cleared as soon as they have been used: that gives the registers behind them
      // back, of which a core beside a busy hyperthread has hardly more than the eight that are
      // named, and two thirds more speed there (kernels/notes.md).
      Tiles::template load<6, kStreamsB>(b, kPackedRow);
      Tiles::template load<4>(a.at, a.row);
      if (both) Tiles::template load<5>(a.at + a.lower, a.row);
      Tiles::template multiply_add<Element, 0, 4, 6>();
      if (both) Tiles::template multiply_add<Element, 2, 5, 6>();
      Tiles::template clear<6>();
      Tiles::template load<7, kStreamsB>(b + kTileElements, kPackedRow);
      Tiles::template multiply_add<Element, 1, 4, 7>();
      Tiles::template clear<4>();
      if (both) {
        Tiles::template multiply_add<Element, 3, 5, 7>();
        Tiles::template clear<5>();
      }
      Tiles::template clear<7>();
      meanwhile.step(k / kTileDepth);
      a.at += a.next;
      b += 2 * kTileElements;
    }
    meanwhile.end();
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
