// attention() with scores query by query, on an engine of kernels/matmul/gemm.h.
#pragma once

#include <math.h>

#include "kernels/attention/query_tiles.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

// The queries of one tile of positions, for every head of a key/value group.
template <class EngineOfProducts>
struct AttentionForward {
  using Engine = EngineOfProducts;
  using Tiles = QueryTiles<Engine>;
  using Element = typename Engine::Element;
  static constexpr int64_t kMr = Engine::kMr, kNr = Engine::kNr;
  static constexpr int64_t kPanels = Tiles::kPanels, kTile = Tiles::kTile;

  Element* q;        // [head][panel][depth][kMr]
  float* out;        // [head][panel][panels of D][kMr][kNr]
  Element* k;        // see Tiles::pack_keys
  Element* v;        // see Tiles::pack_rows
  float* scores;     // of one panel
  Element* weights;  // of one panel: [kMr][kKvBlock]
  float* max;        // [head][kTile]
  float* sum;        // [head][kTile]

  static constexpr int64_t kPositions = kTile;
  static int64_t bytes(const Attention& a, int64_t) {
    AttentionForward unused;
    return carve(unused, nullptr, a.heads / a.kv_heads, a.head_dim);
  }

  static int64_t carve(AttentionForward& w, char* base, int64_t group, int64_t head_dim) {
    const int64_t panels = group * kPanels;
    Carver c{base};
    c.take(w.q, panels * kMr * Tiles::depth(head_dim));
    c.take(w.out, panels * kMr * Tiles::width(head_dim));
    c.take(w.k, kKvBlock * Tiles::depth(head_dim));
    c.take(w.v, kKvBlock * Tiles::width(head_dim));
    c.take(w.scores, kMr * kKvBlock);
    c.take(w.weights, kMr * kKvBlock);
    c.take(w.max, panels * kMr);
    c.take(w.sum, panels * kMr);
    return c.used;
  }

  // Row r of a panel: its scores become weights; the running maximum and sum; out rescaled where
  // the maximum rose. limit: how many keys of the block it sees.
  void soften_row(int64_t r, int64_t limit, float scale, float* row_out, float& row_max,
                  float& row_sum, int64_t head_dim) const {
    Vec s[kScoreVectors];
    Vec top = set1(-INFINITY);
    for (int64_t j = 0; j < kScoreVectors; ++j) {
      s[j] = masked(load(Tiles::score_at(scores, r, j)) * set1(scale), j * kLanes, limit);
      top = llmtool::LLMTOOL_ISA_NAMESPACE::max(top, s[j]);
    }
    const float old = row_max, highest = reduce_max(top);
    if (highest > old) {
      const Vec kept = exp(set1(old) - set1(highest));
      row_max = highest;
      row_sum *= first_lane(kept);
      for (int64_t d = 0; d < head_dim; d += kLanes) {
        float* o = row_out + d / kNr * kNr * kMr + r * kNr + d % kNr;
        store(o, load(o) * kept);
      }
    }
    Vec total = zero();
    for (int64_t j = 0; j < kScoreVectors; ++j) {
      const Vec p = exp(s[j] - set1(row_max));
      total += p;
      store(weights + r * kKvBlock + j * kLanes, p);
    }
    row_sum += reduce_add(total);
  }

  // One block of keys for one panel of queries of the head at `at` panels.
  void attend_block(const Attention& a, int64_t at, int64_t rows, int64_t first_limit) const {
    const int64_t D = a.head_dim;
    float* o = out + at * kMr * Tiles::width(D);
    Tiles::multiply_scores(scores, q + at * kMr * Tiles::depth(D), k, rows, D);
    for (int64_t r = 0; r < rows; ++r) {
      soften_row(r, first_limit + r, a.scale, o, max[at * kMr + r], sum[at * kMr + r], D);
    }
    Tiles::add_weighted_block(o, kMr * kNr, weights, v, rows, D);
  }

  template <class T>
  void finish_rows(const Attention& a, int64_t at, int64_t row, int64_t rows, int64_t head) const {
    const float* from = out + at * kMr * Tiles::width(a.head_dim);
    for (int64_t r = 0; r < rows; ++r) {
      const float total = sum[at * kMr + r];
      const Vec inverse = set1(1.0f / total);
      T* to = a.out.row<T>(row + r) + head * a.head_dim;
      for_vectors(a.head_dim, [&](int64_t d, int64_t lanes) LLMTOOL_INLINE_LAMBDA {
        store_lanes(to + d, load(from + d / kNr * kNr * kMr + r * kNr + d % kNr) * inverse, lanes);
      });
      if (!a.lse.empty()) a.lse.row<float>(row + r)[head] = max[at * kMr + r] + logf(total);
    }
  }

  // f(panel of the tile, its place among all heads' panels, its rows) for the heads of a group.
  template <class F>
  static void for_panels(int64_t group, int64_t q_count, F&& f) {
    for (int64_t h = 0; h < group; ++h) {
      for (int64_t p = 0; p * kMr < q_count; ++p) {
        f(h, p, h * kPanels + p, smaller(kMr, q_count - p * kMr));
      }
    }
  }

  // Queries [q_begin, q_begin + kTile) of a sequence, all heads of group g.
  static void attend_tile(const Attention& a, const AttentionSequence& seq, int64_t g,
                          int64_t q_begin, char* base) {
    const int64_t group = a.heads / a.kv_heads, D = a.head_dim;
    const int64_t q_count = smaller(kTile, seq.q_count - q_begin);
    const int64_t row = seq.q_begin + q_begin;
    const int64_t first_position = seq.kv_count - seq.q_count + q_begin;
    AttentionForward w;
    carve(w, base, group, D);
    for_panels(group, q_count, [&](int64_t h, int64_t p, int64_t at, int64_t) {
      const View rows = a.q.slice_rows(row, q_count).slice_cols((g * group + h) * D, D);
      Engine::pack_a(w.q + at * kMr * Tiles::depth(D), {rows, false}, p * kMr, 0, D);
    });
    fill(w.out, group * kTile * Tiles::width(D), 0.0f);
    fill(w.max, group * kTile, -INFINITY);
    fill(w.sum, group * kTile, 0.0f);

    const View k = a.k.slice_rows(seq.kv_begin, seq.kv_count).slice_cols(g * D, D);
    const View v = a.v.slice_rows(seq.kv_begin, seq.kv_count).slice_cols(g * D, D);
    for (int64_t b = 0; b <= first_position + q_count - 1; b += kKvBlock) {
      Tiles::pack_keys(w.k, k, b, D);
      Tiles::pack_rows(w.v, v, b, kKvBlock, D);
      for_panels(group, q_count, [&](int64_t, int64_t p, int64_t at, int64_t rows) {
        const int64_t first_limit = first_position + p * kMr - b + 1;
        if (first_limit + rows - 1 > 0) w.attend_block(a, at, rows, first_limit);
      });
    }
    for_panels(group, q_count, [&](int64_t h, int64_t p, int64_t at, int64_t rows) {
      a.q.dtype == DType::kBF16
          ? w.template finish_rows<bf16>(a, at, row + p * kMr, rows, g * group + h)
          : w.template finish_rows<float>(a, at, row + p * kMr, rows, g * group + h);
    });
  }
};

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
