// The inner loop of a product on the vector units: a tile of sums that stays in registers. Dot is
// the instruction, on lanes of 32 bits, see group_engine.h: dot(a, b, acc), kMr and Offset.
#pragma once

#include "kernels/matmul/panels.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

// The rows of A that a tile reads, a group of k at a time: at(r) is the group of row r, next() goes
// on to the next group. Packed: [groups][kMr].
template <int kMr>
struct PackedRows {
  const float* groups;

  LLMTOOL_INLINE void here() {}
  LLMTOOL_INLINE float at(int r) const { return groups[r]; }
  LLMTOOL_INLINE void next() { groups += kMr; }
};

// Where they lie: `stride` bytes from a row to the next. Every third row has a pointer, from which
// an address reaches two more; here() keeps the compiler from holding one for every row, for which
// there are not registers enough.
struct RowsInPlace {
  const char *p0, *p1, *p2, *p3, *p4;
  int64_t stride;

  LLMTOOL_INLINE RowsInPlace(const void* rows, int64_t bytes)
      : p0(static_cast<const char*>(rows)),
        p1(p0 + 3 * bytes),
        p2(p0 + 6 * bytes),
        p3(p0 + 9 * bytes),
        p4(p0 + 12 * bytes),
        stride(bytes) {}
  LLMTOOL_INLINE void here() { __asm__("" : "+r"(p0), "+r"(p1), "+r"(p2), "+r"(p3), "+r"(p4)); }
  LLMTOOL_INLINE float at(int r) const {
    const char* p = r < 3 ? p0 : r < 6 ? p1 : r < 9 ? p2 : r < 12 ? p3 : p4;
    return __builtin_bit_cast(float, *reinterpret_cast<const Bits*>(p + r % 3 * stride));
  }
  LLMTOOL_INLINE void next() {
    p0 += sizeof(float), p1 += sizeof(float), p2 += sizeof(float), p3 += sizeof(float);
    p4 += sizeof(float);
  }

 private:
  // Rows are of bf16 or f32, and may begin at any element.
  typedef uint32_t Bits __attribute__((may_alias, aligned(1)));
};

// acc += a[groups][R] * b[groups][kNr]: R rows of A, a panel of B. The elements of a and b are
// groups. Inlined, so that the sums are in registers before and after.
template <class Dot, int R, class Rows>
LLMTOOL_INLINE void add_dots(Vec (&acc)[R][kNrVectors], typename Dot::Offset& offset, Rows a,
                             const float* b, int64_t groups) {
  for (int64_t k = 0; k < groups; ++k) {
    const Vec b0 = load(b + k * kNr), b1 = load(b + k * kNr + kLanes);
    offset.see(b0, b1);
    a.here();
#pragma GCC unroll 14
    for (int r = 0; r < R; ++r) {
      const Vec x = set1(a.at(r));
      acc[r][0] = Dot::dot(x, b0, acc[r][0]);
      acc[r][1] = Dot::dot(x, b1, acc[r][1]);
    }
    a.next();
  }
}

// Those sums in memory.
template <class Dot, int R, class Rows>
void dot_tile(const Sums& sums, Rows a, const float* b, int64_t groups) {
  float* tile = sums.tile;
  Vec acc[R][kNrVectors];
  typename Dot::Offset offset;
  for (int r = 0; r < R; ++r) {
    for (int j = 0; j < kNrVectors; ++j) acc[r][j] = zero();
  }
  if (!sums.from_zero) {
    for (int r = 0; r < R; ++r) {
      for (int j = 0; j < kNrVectors; ++j) acc[r][j] = load(tile + r * kNr + j * kLanes);
    }
  }
  add_dots<Dot, R>(acc, offset, a, b, groups);
  for (int r = 0; r < R; ++r) {
    for (int j = 0; j < kNrVectors; ++j) {
      store(tile + r * kNr + j * kLanes, offset.taken_off(acc[r][j], j));
    }
  }
}

// A whole tile that is nowhere but in registers: finish(r, v0, v1) takes row r. What it does is
// kept short, since the multiplications do not hide it: through memory it is 4% of a product (K =
// 576).
template <class Dot, class Rows, class Finish>
void finished_tile(Rows a, const float* b, int64_t groups, const Finish& finish) {
  constexpr int R = static_cast<int>(Dot::kMr);
  Vec acc[R][kNrVectors];
  typename Dot::Offset offset;
  for (int r = 0; r < R; ++r) {
    for (int j = 0; j < kNrVectors; ++j) acc[r][j] = zero();
  }
  add_dots<Dot, R>(acc, offset, a, b, groups);
#pragma GCC unroll 14
  for (int r = 0; r < R; ++r) {
    finish(r, offset.taken_off(acc[r][0], 0), offset.taken_off(acc[r][1], 1));
  }
}

template <class Dot, class Rows, int R = static_cast<int>(Dot::kMr)>
LLMTOOL_INLINE void dot_rows(int64_t rows, const Sums& sums, const Rows& a, const float* b,
                             int64_t groups) {
  if constexpr (R > 1) {
    if (rows < R) return dot_rows<Dot, Rows, R - 1>(rows, sums, a, b, groups);
  }
  dot_tile<Dot, R>(sums, a, b, groups);
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

// A panel lies 2 KiB apart from row to row, or a multiple of it: its rows fall into one or two sets
// of L1, where kMr of them do not fit beside B.
LLMTOOL_INLINE bool rows_share_cache_sets(const View& v) {
  constexpr int64_t kBytes = 2048;
  return v.rows > 1 && v.stride * size_of(v.dtype) % kBytes == 0;
}

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
