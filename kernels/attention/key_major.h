// Attention whose scores lie key by key, for engines with tiles: S^T = K Q^T. A vector holds one
// key and 16 queries, so the softmax of a query runs down its lane: no sums or maxima across lanes,
// and scales, limits and statistics are vectors of queries. The bf16 weights come out as both
// products want them: P^T as the right side of O^T = V^T P^T (pairs of keys), or as the left of dV
// = P^T dO.
//
// A block has kKvBlock keys; a panel has Engine::kNr queries ("columns"). Weights are rounded to
// bf16 before they are multiplied, sums are f32 and each column's are its own, in the order of
// keys.
#pragma once

#include "kernels/attention/query_tiles.h"
#include "kernels/matmul/bf16_pairs.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

inline constexpr float kLog2E = 1.44269504088896341f, kLn2 = 0.693147180559945309f;

// 2^t for finite t, relative error below 3e-7; 0 below -149. A polynomial of degree 5 through the
// Chebyshev nodes of [-1/2, 1/2].
LLMTOOL_INLINE Vec exp2_of_score(Vec t) {
  const Vec n = round(t), r = t - n;
  Vec p = set1(0.00133908633f);
  p = fma(p, r, set1(0.00967603177f));
  p = fma(p, r, set1(0.0555035695f));
  p = fma(p, r, set1(0.240221068f));
  p = fma(p, r, set1(0.693147182f));
  p = fma(p, r, set1(1.00000012f));
  return scale_by_power_of_2(p, n);
}

// The 32 queries of a key as bf16.
LLMTOOL_INLINE __m512i narrow_two(Vec low, Vec high) {
  return reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high.v, low.v));
}

// Two keys of 16 queries each, low before high in the lanes: pairs of keys, query by query.
LLMTOOL_INLINE void store_pairs(bf16* to, __m512i keys) {
  _mm512_store_si512(to, interleave_halves(keys));
}

// Work that goes on between the steps of products (see held_a.h), a part at each.
template <class Work>
struct InParts {
  void begin(int64_t) const {}
  LLMTOOL_INLINE void step(int64_t) { next(); }
  void end() const {}
  // What is left.
  void finish() {
    while (next()) {
    }
  }

 private:
  LLMTOOL_INLINE bool next() {
    auto& work = static_cast<Work&>(*this);
    if (work.part_ >= Work::kParts) return false;
    work.run(work.part_++);
    return true;
  }
};

template <class Engine>
struct KeyMajor {
  using Element = typename Engine::Element;
  static constexpr int64_t kMr = Engine::kMr, kNr = Engine::kNr, kDepth = Engine::kDepth;
  static constexpr int64_t kTile = kMr * kNr, kKeyPanels = kKvBlock / kMr;
  static_assert(kNr == 2 * kLanes && kMr % kDepth == 0 && kKvBlock % kMr == 0);

  // head_dim along k, and as rows or columns of panels.
  static int64_t deep(int64_t head_dim) { return ceil_div(head_dim, kDepth) * kDepth; }
  static int64_t panels(int64_t n) { return ceil_div(n, kNr); }

  // Rows [begin, begin + kKvBlock) of one head as the left side of products over head_dim:
  // [key panel][deep][kMr]; zeros past the end.
  static void pack_keys(Element* to, const View& rows, int64_t begin, int64_t D) {
    for (int64_t p = 0; p < kKeyPanels; ++p) {
      Engine::pack_a(to + p * kMr * deep(D), {rows, false}, begin + p * kMr, 0, D);
    }
  }
  // The same rows as the left side of products over keys: [panel of D][kKvBlock][kMr].
  static void pack_keys_across(Element* to, const View& rows, int64_t begin, int64_t D) {
    const int64_t there = smaller(kKvBlock, rows.rows - begin);
    for (int64_t p = 0; p < panels(D); ++p) {
      Engine::pack_a(to + p * kMr * kKvBlock, {rows, true}, p * kMr, begin, there);
    }
  }

  // scores = keys queries^T of one panel of columns: [kKvBlock][kNr].
  template <class Meanwhile>
  static void multiply_scores(float* scores, const Element* keys, const Element* queries,
                              int64_t there, int64_t D, Meanwhile& meanwhile) {
    for (int64_t p = 0; p * kMr < there; ++p) {
      Engine::multiply_beside(kMr, {scores + p * kTile, /*from_zero=*/true},
                              keys + p * kMr * deep(D), queries, D, meanwhile);
    }
  }

  // [panel of D][kMr][kNr] of f32, columns of a panel, each times `factor` of its column: lane by
  // lane into rows; row_of(i) is where column i begins, or null.
  template <class T, class RowOf>
  static void store_columns(const float* from, const float* factor, int64_t D, RowOf&& row_of) {
    for (int64_t half = 0; half < kNr; half += kLanes) {
      const Vec scale = load(factor + half);
      for (int64_t d = 0; d < D; d += kLanes) {
        Vec r[kLanes];
        const float* at = from + d / kMr * kTile + d % kMr * kNr + half;
        for (int64_t i = 0; i < kLanes; ++i) r[i] = load(at + i * kNr) * scale;
        transpose(r);
        for (int64_t i = 0; i < kLanes; ++i) {
          if (T* row = row_of(half + i)) store_lanes(row + d, r[i], smaller(kLanes, D - d));
        }
      }
    }
  }
};

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
