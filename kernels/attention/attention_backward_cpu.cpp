#include "kernels/attention/attention.h"
#include "kernels/attention/query_tiles.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

// Work space of one task: a sequence and a key/value head. Keys and values stay in f32 for all the
// heads of the group, queries for one head at a time.
struct BackwardSpace {
  float *k, *v_transposed, *k_straight;  // [block]: see pack_keys, pack_rows
  float *dk, *dv;                        // [block][D panels][key panels][kMr][kNr]
  float *q, *dout;                       // [tile][panel][D][kMr]
  float *q_straight, *dout_straight;     // [tile][D panels][kQueryTile][kNr]
  float* dq;                             // [tile][panel][D panels][kMr][kNr]
  float *scores, *dscores;               // of one panel: [kKvBlock / kNr][kMr][kNr]
  float *weights, *dweights;             // of one tile: [key panels][kQueryTile][kMr]
  float* by_key;                         // [kKvBlock][kMr]
  int64_t blocks, tiles, wide;

  static constexpr int64_t kKeyPanels = (kKvBlock + kMr - 1) / kMr;
  static constexpr int64_t kKeyRows = kKeyPanels * kMr;

  static int64_t carve(BackwardSpace& w, float* base, const AttentionSequence& seq, int64_t D) {
    w.blocks = ceil_div(seq.kv_count, kKvBlock);
    w.tiles = ceil_div(seq.q_count, kQueryTile);
    w.wide = padded(D);
    Carver c{base};
    w.k = c.take(w.blocks * kKvBlock * D);
    w.v_transposed = c.take(w.blocks * kKvBlock * D);
    w.k_straight = c.take(w.blocks * kKvBlock * w.wide);
    w.dk = c.take(w.blocks * kKeyRows * w.wide);
    w.dv = c.take(w.blocks * kKeyRows * w.wide);
    w.q = c.take(w.tiles * kQueryTile * D);
    w.dout = c.take(w.tiles * kQueryTile * D);
    w.q_straight = c.take(w.tiles * kQueryTile * w.wide);
    w.dout_straight = c.take(w.tiles * kQueryTile * w.wide);
    w.dq = c.take(w.tiles * kQueryTile * w.wide);
    w.scores = c.take(kMr * kKvBlock);
    w.dscores = c.take(kMr * kKvBlock);
    w.weights = c.take(kQueryTile * kKeyRows);
    w.dweights = c.take(kQueryTile * kKeyRows);
    w.by_key = c.take(kMr * kKvBlock);
    return c.used;
  }
};

void pack_sequence_keys(const BackwardSpace& w, const View& k, const View& v, int64_t D) {
  for (int64_t b = 0; b < w.blocks; ++b) {
    pack_keys(w.k + b * kKvBlock * D, k, b * kKvBlock, D);
    pack_keys(w.v_transposed + b * kKvBlock * D, v, b * kKvBlock, D);
    pack_rows(w.k_straight + b * kKvBlock * w.wide, k, b * kKvBlock, kKvBlock, D);
  }
}

void pack_sequence_queries(const BackwardSpace& w, const View& q, const View& dout, int64_t D) {
  for (int64_t t = 0; t < w.tiles; ++t) {
    for (int64_t p = 0; p < kQueryPanels; ++p) {
      const int64_t row = t * kQueryTile + p * kMr;
      if (row >= q.rows) break;
      pack_panel(w.q + row * D, kMr, q, true, row, 0, D);
      pack_panel(w.dout + row * D, kMr, dout, true, row, 0, D);
    }
    pack_rows(w.q_straight + t * kQueryTile * w.wide, q, t * kQueryTile, kQueryTile, D);
    pack_rows(w.dout_straight + t * kQueryTile * w.wide, dout, t * kQueryTile, kQueryTile, D);
  }
}

// Row r of scores into to[key panel][kQueryTile][kMr] at query `at`: the left operand of dk and dv.
void scatter_by_key_panel(float* to, float* scores, int64_t r, int64_t at) {
  float row[BackwardSpace::kKeyRows];
  for (int64_t j = 0; j < kScoreVectors; ++j) store(row + j * kLanes, load(score_at(scores, r, j)));
  for (int64_t j = kKvBlock; j < BackwardSpace::kKeyRows; ++j) row[j] = 0;
  for (int64_t p = 0; p < BackwardSpace::kKeyPanels; ++p) {
    float* lane = to + (p * kQueryTile + at) * kMr;
    for (int64_t i = 0; i < kMr; ++i) lane[i] = row[p * kMr + i];
  }
}

// The softmax weights and their gradients of one panel of queries and one block of keys; adds to
// dq.
void panel_gradients(const AttentionBackward& a, const BackwardSpace& w, int64_t b, int64_t row,
                     int64_t rows, int64_t first_limit, int64_t q_begin, int64_t head) {
  const int64_t D = a.head_dim, at = row % kQueryTile;
  multiply_scores(w.scores, w.q + row * D, w.k + b * kKvBlock * D, rows, D);
  multiply_scores(w.dscores, w.dout + row * D, w.v_transposed + b * kKvBlock * D, rows, D);
  for (int64_t r = 0; r < rows; ++r) {
    const Vec lse = set1(a.lse.row<float>(q_begin + row + r)[head]);
    const Vec delta = set1(a.delta.row<float>(q_begin + row + r)[head]);
    for (int64_t j = 0; j < kScoreVectors; ++j) {
      float *s = score_at(w.scores, r, j), *ds = score_at(w.dscores, r, j);
      const Vec x = masked(load(s) * set1(a.scale), j * kLanes, first_limit + r);
      const Vec p = exp(x - lse);
      store(s, p);
      store(ds, p * (load(ds) - delta) * set1(a.scale));
    }
    scatter_by_key_panel(w.weights, w.scores, r, at + r);
    scatter_by_key_panel(w.dweights, w.dscores, r, at + r);
  }
  transpose_scores(w.by_key, w.dscores, rows);
  for (int64_t d = 0; d < w.wide; d += kNr) {
    multiply_rows(rows, w.dq + row * w.wide + d * kMr, w.by_key,
                  w.k_straight + b * kKvBlock * w.wide + d * kKvBlock, kKvBlock);
  }
}

// dk and dv of block b from the queries of tile t: `rows` of them, from the first that sees it.
void add_key_gradients(const BackwardSpace& w, int64_t b, int64_t t, int64_t skip, int64_t rows) {
  for (int64_t d = 0; d < w.wide; d += kNr) {
    const int64_t operand = t * kQueryTile * w.wide + d * kQueryTile + skip * kNr;
    for (int64_t p = 0; p < BackwardSpace::kKeyPanels; ++p) {
      const int64_t to = (b * w.wide + d) * BackwardSpace::kKeyRows + p * kMr * kNr;
      const int64_t from = (p * kQueryTile + skip) * kMr;
      const int64_t keys = smaller(kMr, kKvBlock - p * kMr);
      multiply_rows(keys, w.dv + to, w.weights + from, w.dout_straight + operand, rows);
      multiply_rows(keys, w.dk + to, w.dweights + from, w.q_straight + operand, rows);
    }
  }
}

template <class T>
void store_key_gradient(const View& to, const float* from, int64_t wide) {
  for (int64_t i = 0; i < to.rows; ++i) {
    const int64_t b = i / kKvBlock, key = i % kKvBlock;
    for_vectors(to.cols, [&](int64_t d, int64_t lanes) {
      const float* tile = from + (b * wide + d / kNr * kNr) * BackwardSpace::kKeyRows;
      store_lanes(to.row<T>(i) + d, load(tile + key * kNr + d % kNr), lanes);
    });
  }
}

template <class T>
void store_query_gradient(const View& to, const float* from, int64_t wide) {
  for (int64_t i = 0; i < to.rows; ++i) {
    const float* panel = from + i / kMr * kMr * wide;
    for_vectors(to.cols, [&](int64_t d, int64_t lanes) {
      const float* tile = panel + d / kNr * kNr * kMr;
      store_lanes(to.row<T>(i) + d, load(tile + i % kMr * kNr + d % kNr), lanes);
    });
  }
}

template <class T>
void compute_delta(const AttentionBackward& a, const AttentionSequence& seq, int64_t head) {
  for (int64_t i = seq.q_begin; i < seq.q_begin + seq.q_count; ++i) {
    const T* dout = a.dout.row<T>(i) + head * a.head_dim;
    const T* out = a.out.row<T>(i) + head * a.head_dim;
    Vec sum = zero();
    for_vectors(a.head_dim, [&](int64_t d, int64_t lanes) {
      sum = fma(load_lanes(dout + d, lanes), load_lanes(out + d, lanes), sum);
    });
    a.delta.row<float>(i)[head] = reduce_add(sum);
  }
}

// All blocks of keys against the queries of one head.
void head_gradients(const AttentionBackward& a, const BackwardSpace& w,
                    const AttentionSequence& seq, int64_t head) {
  const int64_t first = seq.kv_count - seq.q_count;  // position of query 0
  fill(w.dq, w.tiles * kQueryTile * w.wide, 0.0f);
  for (int64_t b = 0; b < w.blocks; ++b) {
    for (int64_t t = 0; t < w.tiles; ++t) {
      const int64_t begin = t * kQueryTile, end = smaller(seq.q_count, begin + kQueryTile);
      if (first + end <= b * kKvBlock) continue;
      int64_t skip = 0;  // whole panels before the first query that sees the block
      for (int64_t row = begin; row < end; row += kMr) {
        const int64_t rows = smaller(kMr, end - row);
        const int64_t first_limit = first + row - b * kKvBlock + 1;
        if (first_limit + rows - 1 <= 0) {
          skip = row + kMr - begin;
          continue;
        }
        panel_gradients(a, w, b, row, rows, first_limit, seq.q_begin, head);
      }
      add_key_gradients(w, b, t, skip, end - begin - skip);
    }
  }
}

template <class T>
void sequence_gradients(const AttentionBackward& a, const AttentionSequence& seq, int64_t g,
                        float* base) {
  const int64_t group = a.heads / a.kv_heads, D = a.head_dim;
  BackwardSpace w;
  BackwardSpace::carve(w, base, seq, D);
  const auto of_group = [&](const View& x) {
    return x.slice_rows(seq.kv_begin, seq.kv_count).slice_cols(g * D, D);
  };
  const auto of_head = [&](const View& x, int64_t head) {
    return x.slice_rows(seq.q_begin, seq.q_count).slice_cols(head * D, D);
  };
  pack_sequence_keys(w, of_group(a.k), of_group(a.v), D);
  fill(w.dk, w.blocks * BackwardSpace::kKeyRows * w.wide, 0.0f);
  fill(w.dv, w.blocks * BackwardSpace::kKeyRows * w.wide, 0.0f);
  for (int64_t head = g * group; head < (g + 1) * group; ++head) {
    compute_delta<T>(a, seq, head);
    pack_sequence_queries(w, of_head(a.q, head), of_head(a.dout, head), D);
    head_gradients(a, w, seq, head);
    store_query_gradient<T>(of_head(a.dq, head), w.dq, w.wide);
  }
  store_key_gradient<T>(of_group(a.dk), w.dk, w.wide);
  store_key_gradient<T>(of_group(a.dv), w.dv, w.wide);
}

void attention_backward_cpu(const AttentionBackward& a, Stream& s) {
  AttentionSequence longest;
  for (int64_t i = 0; i < a.sequence_count; ++i) {
    if (a.sequences[i].kv_count > longest.kv_count) longest.kv_count = a.sequences[i].kv_count;
    if (a.sequences[i].q_count > longest.q_count) longest.q_count = a.sequences[i].q_count;
  }
  BackwardSpace unused;
  const size_t bytes = sizeof(float) * static_cast<size_t>(BackwardSpace::carve(
                                           unused, nullptr, longest, a.head_dim));
  s.parallel_for(a.sequence_count * a.kv_heads, 1, [&](int64_t begin, int64_t end, int thread) {
    float* base = static_cast<float*>(s.scratch().of_thread(thread, bytes));
    for (int64_t i = begin; i < end; ++i) {
      const AttentionSequence& seq = a.sequences[i / a.kv_heads];
      a.q.dtype == DType::kBF16 ? sequence_gradients<bf16>(a, seq, i % a.kv_heads, base)
                                : sequence_gradients<float>(a, seq, i % a.kv_heads, base);
    }
  });
}

LLMTOOL_KERNEL(attention_backward, Device::kCpu, Isa::LLMTOOL_ISA, attention_backward_cpu);

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
