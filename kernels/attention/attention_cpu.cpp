#include <math.h>

#include "kernels/attention/attention.h"
#include "kernels/attention/query_tiles.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

// Work space of one task: the queries of one tile for every head of a key/value group.
struct ForwardSpace {
  float* q;        // [head][panel][D][kMr]
  float* out;      // [head][panel][D panels][kMr][kNr]
  float* k;        // [kKvBlock / kNr][D][kNr], transposed
  float* v;        // [D panels][kKvBlock][kNr]
  float* scores;   // [kKvBlock / kNr][kMr][kNr]
  float* weights;  // [kKvBlock][kMr]
  float* max;      // [head][kQueryTile]
  float* sum;      // [head][kQueryTile]

  static int64_t carve(ForwardSpace& w, float* base, int64_t group, int64_t head_dim) {
    const int64_t panels = group * kQueryPanels, wide = padded(head_dim);
    Carver c{base};
    w.q = c.take(panels * kMr * head_dim);
    w.out = c.take(panels * kMr * wide);
    w.k = c.take(kKvBlock * head_dim);
    w.v = c.take(kKvBlock * wide);
    w.scores = c.take(kMr * kKvBlock);
    w.weights = c.take(kMr * kKvBlock);
    w.max = c.take(panels * kMr);
    w.sum = c.take(panels * kMr);
    return c.used;
  }
};

// One block of keys for one panel of queries: scores, the running maximum and sum, out rescaled
// and added to. limit(r): how many keys of the block row r sees.
void attend_block(const ForwardSpace& w, const float* q, float* out, float* max, float* sum,
                  int64_t rows, int64_t head_dim, int64_t first_limit, float scale) {
  multiply_scores(w.scores, q, w.k, rows, head_dim);
  const int64_t wide = padded(head_dim);
  for (int64_t r = 0; r < rows; ++r) {
    Vec s[kScoreVectors];
    Vec top = set1(-INFINITY);
    for (int64_t j = 0; j < kScoreVectors; ++j) {
      s[j] = masked(load(score_at(w.scores, r, j)) * set1(scale), j * kLanes, first_limit + r);
      top = llmtool::LLMTOOL_ISA_NAMESPACE::max(top, s[j]);
    }
    const float old = max[r];
    const float highest = reduce_max(top);
    const float now = highest > old ? highest : old;
    Vec total = zero();
    for (int64_t j = 0; j < kScoreVectors; ++j) {
      const Vec p = exp(s[j] - set1(now));
      total += p;
      store(score_at(w.scores, r, j), p);
    }
    const Vec kept = exp(set1(old) - set1(now));
    max[r] = now;
    sum[r] = sum[r] * first_lane(kept) + reduce_add(total);
    for (int64_t d = 0; d < wide; d += kNr) {
      for (int64_t i = 0; i < kNr; i += kLanes) {
        float* o = out + d * kMr + r * kNr + i;
        store(o, load(o) * kept);
      }
    }
  }
  transpose_scores(w.weights, w.scores, rows);
  for (int64_t d = 0; d < wide; d += kNr) {
    multiply_rows(rows, out + d * kMr, w.weights, w.v + d * kKvBlock, kKvBlock);
  }
}

template <class T>
void finish_rows(const Attention& a, const float* out, const float* max, const float* sum,
                 int64_t row, int64_t rows, int64_t head) {
  for (int64_t r = 0; r < rows; ++r) {
    const Vec inverse = set1(1.0f / sum[r]);
    T* to = a.out.row<T>(row + r) + head * a.head_dim;
    for_vectors(a.head_dim, [&](int64_t d, int64_t lanes) {
      const float* from = out + d / kNr * kNr * kMr + r * kNr + d % kNr;
      store_lanes(to + d, load(from) * inverse, lanes);
    });
    if (!a.lse.empty()) a.lse.row<float>(row + r)[head] = max[r] + logf(sum[r]);
  }
}

// Queries [q_begin, q_begin + q_count) of a sequence, all heads of group g.
template <class T>
void attend_tile(const Attention& a, const AttentionSequence& seq, int64_t g, int64_t q_begin,
                 float* base) {
  const int64_t group = a.heads / a.kv_heads, D = a.head_dim, wide = padded(D);
  const int64_t q_count = smaller(kQueryTile, seq.q_count - q_begin);
  const int64_t first_position = seq.kv_count - seq.q_count + q_begin;
  ForwardSpace w;
  ForwardSpace::carve(w, base, group, D);
  const int64_t panels = ceil_div(q_count, kMr);
  for (int64_t h = 0; h < group; ++h) {
    for (int64_t p = 0; p < panels; ++p) {
      const View q =
          a.q.slice_rows(seq.q_begin + q_begin, q_count).slice_cols((g * group + h) * D, D);
      pack_panel(w.q + (h * kQueryPanels + p) * kMr * D, kMr, q, true, p * kMr, 0, D);
    }
  }
  fill(w.out, group * kQueryTile * wide, 0.0f);
  fill(w.max, group * kQueryTile, -INFINITY);
  fill(w.sum, group * kQueryTile, 0.0f);

  const View k = a.k.slice_rows(seq.kv_begin, seq.kv_count).slice_cols(g * D, D);
  const View v = a.v.slice_rows(seq.kv_begin, seq.kv_count).slice_cols(g * D, D);
  for (int64_t b = 0; b <= first_position + q_count - 1; b += kKvBlock) {
    pack_keys(w.k, k, b, D);
    pack_values(w.v, v, b, D);
    for (int64_t h = 0; h < group; ++h) {
      for (int64_t p = 0; p < panels; ++p) {
        const int64_t rows = smaller(kMr, q_count - p * kMr);
        const int64_t first_limit = first_position + p * kMr - b + 1;
        if (first_limit + rows - 1 <= 0) continue;
        const int64_t at = h * kQueryPanels + p;
        attend_block(w, w.q + at * kMr * D, w.out + at * kMr * wide, w.max + at * kMr,
                     w.sum + at * kMr, rows, D, first_limit, a.scale);
      }
    }
  }
  for (int64_t h = 0; h < group; ++h) {
    for (int64_t p = 0; p < panels; ++p) {
      const int64_t at = h * kQueryPanels + p;
      finish_rows<T>(a, w.out + at * kMr * wide, w.max + at * kMr, w.sum + at * kMr,
                     seq.q_begin + q_begin + p * kMr, smaller(kMr, q_count - p * kMr),
                     g * group + h);
    }
  }
}

void attention_cpu(const Attention& a, Stream& s) {
  int64_t most_queries = 0;
  for (int64_t i = 0; i < a.sequence_count; ++i) {
    if (a.sequences[i].q_count > most_queries) most_queries = a.sequences[i].q_count;
  }
  const int64_t tiles = ceil_div(most_queries, kQueryTile);
  ForwardSpace unused;
  const size_t bytes = sizeof(float) * static_cast<size_t>(ForwardSpace::carve(
                                           unused, nullptr, a.heads / a.kv_heads, a.head_dim));
  // Long tiles (the last of a causal sequence) first, so that no thread is left with one at the
  // end.
  s.parallel_for(a.sequence_count * a.kv_heads * tiles, 1, [&](int64_t begin, int64_t end, int t) {
    float* base = static_cast<float*>(s.scratch().of_thread(t, bytes));
    for (int64_t i = begin; i < end; ++i) {
      const int64_t tile = tiles - 1 - i / (a.sequence_count * a.kv_heads);
      const AttentionSequence& seq = a.sequences[i / a.kv_heads % a.sequence_count];
      if (tile * kQueryTile >= seq.q_count) continue;
      a.q.dtype == DType::kBF16
          ? attend_tile<bf16>(a, seq, i % a.kv_heads, tile * kQueryTile, base)
          : attend_tile<float>(a, seq, i % a.kv_heads, tile * kQueryTile, base);
    }
  });
}

LLMTOOL_KERNEL(attention, Device::kCpu, Isa::LLMTOOL_ISA, attention_cpu);

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
