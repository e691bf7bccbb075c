// attention_backward() with scores query by query, on an engine of kernels/matmul/gemm.h.
#pragma once

#include "kernels/attention/backward_heads.h"
#include "kernels/attention/query_tiles.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

// One head of one sequence: blocks of keys against tiles of queries.
template <class EngineOfProducts>
struct AttentionGradients {
  using Engine = EngineOfProducts;
  using Tiles = QueryTiles<Engine>;
  using Element = typename Engine::Element;
  static constexpr int64_t kMr = Engine::kMr, kNr = Engine::kNr, kTile = Tiles::kTile;
  static constexpr int64_t kKeyPanels = (kKvBlock + kMr - 1) / kMr;

  Element *q, *dout;            // [tile][panel][depth][kMr]
  Element *q_rows, *dout_rows;  // [tile]: see Tiles::pack_rows
  Element *k, *v;               // of the block: see Tiles::pack_keys
  Element* k_rows;              // of the block: see Tiles::pack_rows
  float* dq;                    // [tile][panel][panels of D][kMr][kNr]
  float *dk, *dv;               // of the block: [key panel][panels of D][kMr][kNr]
  float *scores, *dscores;      // of one panel of queries
  Element *weights, *dweights;  // of the tile: [kTile][kKvBlock]
  Element* packed;              // a panel of them
  int64_t deep, wide;

  static int64_t carve(AttentionGradients& w, char* base, int64_t q_count, int64_t head_dim) {
    const int64_t rows = ceil_div(q_count, kTile) * kTile;
    w.deep = Tiles::depth(head_dim);
    w.wide = Tiles::width(head_dim);
    Carver c{base};
    c.take(w.q, rows * w.deep);
    c.take(w.dout, rows * w.deep);
    c.take(w.q_rows, rows * w.wide);
    c.take(w.dout_rows, rows * w.wide);
    c.take(w.k, kKvBlock * w.deep);
    c.take(w.v, kKvBlock * w.deep);
    c.take(w.k_rows, kKvBlock * w.wide);
    c.take(w.dq, rows * w.wide);
    c.take(w.dk, kKeyPanels * kMr * w.wide);
    c.take(w.dv, kKeyPanels * kMr * w.wide);
    c.take(w.scores, kMr * kKvBlock);
    c.take(w.dscores, kMr * kKvBlock);
    c.take(w.weights, kTile * kKvBlock);
    c.take(w.dweights, kTile * kKvBlock);
    c.take(w.packed, kMr * kTile);
    return c.used;
  }

  void pack_queries(const View& q_view, const View& dout_view, int64_t D) const {
    for (int64_t row = 0; row < q_view.rows; row += kMr) {
      Engine::pack_a(q + row * deep, {q_view, false}, row, 0, D);
      Engine::pack_a(dout + row * deep, {dout_view, false}, row, 0, D);
    }
    for (int64_t row = 0; row < q_view.rows; row += kTile) {
      Tiles::pack_rows(q_rows + row * wide, q_view, row, kTile, D);
      Tiles::pack_rows(dout_rows + row * wide, dout_view, row, kTile, D);
    }
  }

  // The softmax weights and their gradients of one panel of queries and the block of keys; adds
  // to dq. row: of the sequence; first_limit: how many keys of the block its first row sees.
  void panel_gradients(const AttentionBackward& a, const AttentionSequence& seq, int64_t head,
                       int64_t row, int64_t rows, int64_t first_limit) const {
    const int64_t D = a.head_dim, at = row % kTile;
    Tiles::multiply_scores(scores, q + row * deep, k, rows, D);
    Tiles::multiply_scores(dscores, dout + row * deep, v, rows, D);
    for (int64_t r = 0; r < rows; ++r) {
      const Vec lse = set1(a.lse.row<float>(seq.q_begin + row + r)[head]);
      const Vec delta = set1(a.delta.row<float>(seq.q_begin + row + r)[head]);
      for (int64_t j = 0; j < kScoreVectors; ++j) {
        const Vec s = load(Tiles::score_at(scores, r, j)) * set1(a.scale);
        const Vec p = exp(masked(s, j * kLanes, first_limit + r) - lse);
        const Vec ds = p * (load(Tiles::score_at(dscores, r, j)) - delta) * set1(a.scale);
        store(weights + (at + r) * kKvBlock + j * kLanes, p);
        store(dweights + (at + r) * kKvBlock + j * kLanes, ds);
      }
    }
    Tiles::add_weighted_block(dq + row * wide, kMr * kNr, dweights + at * kKvBlock, k_rows, rows,
                              D);
  }

  // Adds to dk and dv of the block from queries [first, first + rows) of the tile at row `begin`.
  void key_gradients(int64_t begin, int64_t first, int64_t rows, int64_t D) const {
    const auto add = [&](float* to, Element* by_query, const Element* operand) {
      for (int64_t p = 0; p < kKeyPanels; ++p) {
        Engine::pack_a(packed, {rows_of(by_query, kTile, kKvBlock), true}, p * kMr, first, rows);
        Tiles::add_weighted(to + p * kMr * wide, kMr * kNr, packed, operand + begin * wide, kTile,
                            first, smaller(kMr, kKvBlock - p * kMr), rows, D);
      }
    };
    add(dv, weights, dout_rows);
    add(dk, dweights, q_rows);
  }

  void block_gradients(const AttentionBackward& a, const AttentionSequence& seq, int64_t head,
                       int64_t b) const {
    const int64_t first_position = seq.kv_count - seq.q_count;
    fill(dk, kKeyPanels * kMr * wide, 0.0f);
    fill(dv, kKeyPanels * kMr * wide, 0.0f);
    for (int64_t begin = 0; begin < seq.q_count; begin += kTile) {
      const int64_t end = smaller(seq.q_count, begin + kTile);
      if (first_position + end <= b) continue;
      int64_t skip = 0;  // whole panels before the first query that sees the block
      for (int64_t row = begin; row < end; row += kMr) {
        const int64_t rows = smaller(kMr, end - row);
        const int64_t first_limit = first_position + row - b + 1;
        if (first_limit + rows - 1 <= 0) {
          skip = row + kMr - begin;
          continue;
        }
        panel_gradients(a, seq, head, row, rows, first_limit);
      }
      key_gradients(begin, skip, end - begin - skip, a.head_dim);
    }
  }

  // dk_head, dv_head: (kv_count, D) f32.
  template <class T>
  static void of_head(const AttentionBackward& a, const AttentionSequence& seq, int64_t head,
                      const View& dk_head, const View& dv_head, char* base) {
    const int64_t D = a.head_dim, g = head / (a.heads / a.kv_heads);
    AttentionGradients w;
    carve(w, base, seq.q_count, D);
    const auto queries = [&](const View& x) {
      return x.slice_rows(seq.q_begin, seq.q_count).slice_cols(head * D, D);
    };
    const View k = a.k.slice_rows(seq.kv_begin, seq.kv_count).slice_cols(g * D, D);
    const View v = a.v.slice_rows(seq.kv_begin, seq.kv_count).slice_cols(g * D, D);
    w.pack_queries(queries(a.q), queries(a.dout), D);
    fill(w.dq, ceil_div(seq.q_count, w.kTile) * w.kTile * w.wide, 0.0f);
    for (int64_t b = 0; b < seq.kv_count; b += kKvBlock) {
      QueryTiles<Engine>::pack_keys(w.k, k, b, D);
      QueryTiles<Engine>::pack_keys(w.v, v, b, D);
      QueryTiles<Engine>::pack_rows(w.k_rows, k, b, kKvBlock, D);
      w.block_gradients(a, seq, head, b);
      const int64_t keys = smaller(kKvBlock, seq.kv_count - b);
      Tiles::template store_rows<float>(dk_head, b, keys, w.dk);
      Tiles::template store_rows<float>(dv_head, b, keys, w.dv);
    }
    Tiles::template store_rows<T>(queries(a.dq), 0, seq.q_count, w.dq);
  }
};

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
