// attention_backward() on an engine of kernels/matmul/gemm.h.
#pragma once

#include "kernels/attention/query_tiles.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

// One head of one sequence: blocks of keys against tiles of queries.
template <class Engine>
struct AttentionGradients {
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

  // Rows of [panel][panels of D][kMr][kNr] into a matrix.
  template <class T>
  void store_rows(const View& to, int64_t begin, int64_t rows, const float* from) const {
    for (int64_t i = 0; i < rows; ++i) {
      const float* panel = from + i / kMr * kMr * wide + i % kMr * kNr;
      for_vectors(to.cols, [&](int64_t d, int64_t lanes) LLMTOOL_INLINE_LAMBDA {
        store_lanes(to.row<T>(begin + i) + d, load(panel + d / kNr * kNr * kMr + d % kNr), lanes);
      });
    }
  }
};

template <class T>
void store_delta(const AttentionBackward& a, const AttentionSequence& seq, int64_t head) {
  for (int64_t i = seq.q_begin; i < seq.q_begin + seq.q_count; ++i) {
    const T* dout = a.dout.row<T>(i) + head * a.head_dim;
    const T* out = a.out.row<T>(i) + head * a.head_dim;
    Vec sum = zero();
    for_vectors(a.head_dim, [&](int64_t d, int64_t lanes) LLMTOOL_INLINE_LAMBDA {
      sum = fma(load_lanes(dout + d, lanes), load_lanes(out + d, lanes), sum);
    });
    a.delta.row<float>(i)[head] = reduce_add(sum);
  }
}

// dk_head, dv_head: (kv_count, D) f32.
template <class Engine, class T>
void head_gradients(const AttentionBackward& a, const AttentionSequence& seq, int64_t head,
                    const View& dk_head, const View& dv_head, char* base) {
  const int64_t D = a.head_dim, g = head / (a.heads / a.kv_heads);
  AttentionGradients<Engine> w;
  AttentionGradients<Engine>::carve(w, base, seq.q_count, D);
  const auto queries = [&](const View& x) {
    return x.slice_rows(seq.q_begin, seq.q_count).slice_cols(head * D, D);
  };
  const View k = a.k.slice_rows(seq.kv_begin, seq.kv_count).slice_cols(g * D, D);
  const View v = a.v.slice_rows(seq.kv_begin, seq.kv_count).slice_cols(g * D, D);
  store_delta<T>(a, seq, head);
  w.pack_queries(queries(a.q), queries(a.dout), D);
  fill(w.dq, ceil_div(seq.q_count, w.kTile) * w.kTile * w.wide, 0.0f);
  for (int64_t b = 0; b < seq.kv_count; b += kKvBlock) {
    QueryTiles<Engine>::pack_keys(w.k, k, b, D);
    QueryTiles<Engine>::pack_keys(w.v, v, b, D);
    QueryTiles<Engine>::pack_rows(w.k_rows, k, b, kKvBlock, D);
    w.block_gradients(a, seq, head, b);
    const int64_t keys = smaller(kKvBlock, seq.kv_count - b);
    w.template store_rows<float>(dk_head, b, keys, w.dk);
    w.template store_rows<float>(dv_head, b, keys, w.dv);
  }
  w.template store_rows<T>(queries(a.dq), 0, seq.q_count, w.dq);
}

// Rows of the key/value heads: the sum over the heads of each group, in order.
template <class T>
void sum_groups(const View& to, int64_t row, const float* heads, int64_t head_stride, int64_t group,
                int64_t kv_heads, int64_t D) {
  for (int64_t g = 0; g < kv_heads; ++g) {
    for_vectors(D, [&](int64_t d, int64_t lanes) LLMTOOL_INLINE_LAMBDA {
      Vec sum = load_lanes(heads + g * group * head_stride + d, lanes);
      for (int64_t h = 1; h < group; ++h) {
        sum += load_lanes(heads + (g * group + h) * head_stride + d, lanes);
      }
      store_lanes(to.row<T>(row) + g * D + d, sum, lanes);
    });
  }
}

// Sequences [begin, end), whose keys number `keys`. Every head has its own dk and dv first: a task
// is one head of one sequence, whatever the groups, and the sum has one order.
template <class Engine, class T>
void sequence_gradients(const AttentionBackward& a, int64_t begin, int64_t end, int64_t keys,
                        Stream& s) {
  const int64_t D = a.head_dim, head_stride = keys * D;
  int64_t most_queries = 0;
  for (int64_t i = begin; i < end; ++i) {
    if (a.sequences[i].q_count > most_queries) most_queries = a.sequences[i].q_count;
  }
  AttentionGradients<Engine> unused;
  const auto bytes =
      static_cast<size_t>(AttentionGradients<Engine>::carve(unused, nullptr, most_queries, D));
  auto* dk = static_cast<float*>(
      s.scratch().shared(static_cast<size_t>(2 * a.heads * head_stride) * sizeof(float)));
  float* dv = dk + a.heads * head_stride;
  const auto first_key = [&](int64_t i) {
    int64_t at = 0;
    for (int64_t j = begin; j < i; ++j) at += a.sequences[j].kv_count;
    return at;
  };
  s.parallel_for((end - begin) * a.heads, 1, [&](int64_t task, int64_t task_end, int thread) {
    char* base = static_cast<char*>(s.scratch().of_thread(thread, bytes));
    Engine::begin();
    for (; task < task_end; ++task) {
      const int64_t i = begin + task / a.heads, head = task % a.heads;
      const AttentionSequence& seq = a.sequences[i];
      const int64_t at = head * head_stride + first_key(i) * D;
      head_gradients<Engine, T>(a, seq, head, make_view(dk + at, seq.kv_count, D),
                                make_view(dv + at, seq.kv_count, D), base);
    }
    Engine::end();
  });
  for (int64_t i = begin; i < end; ++i) {
    const AttentionSequence& seq = a.sequences[i];
    const int64_t at = first_key(i);
    constexpr int64_t kGrain = 64;
    s.parallel_for(seq.kv_count, kGrain, [&](int64_t r, int64_t last, int) {
      for (; r < last; ++r) {
        const int64_t from = (at + r) * D, group = a.heads / a.kv_heads;
        sum_groups<T>(a.dk, seq.kv_begin + r, dk + from, head_stride, group, a.kv_heads, D);
        sum_groups<T>(a.dv, seq.kv_begin + r, dv + from, head_stride, group, a.kv_heads, D);
      }
    });
  }
}

template <class Engine>
void attention_backward_on(const AttentionBackward& a, Stream& s) {
  if (passed_down<Engine>(attention_backward, a, a.q.dtype, s)) return;
  // As many sequences at a time as fill 32 MiB with the gradients of their heads, at least one.
  const int64_t most_keys = (int64_t{4} << 20) / (a.heads * a.head_dim);
  for (int64_t begin = 0, end = 0; begin < a.sequence_count; begin = end) {
    int64_t keys = 0;
    do {
      keys += a.sequences[end++].kv_count;
    } while (end < a.sequence_count && keys + a.sequences[end].kv_count <= most_keys);
    a.q.dtype == DType::kBF16 ? sequence_gradients<Engine, bf16>(a, begin, end, keys, s)
                              : sequence_gradients<Engine, float>(a, begin, end, keys, s);
  }
}

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
