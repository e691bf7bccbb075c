// What attention's forward and backward share on the vector units: panels of queries against blocks
// of keys, multiplied by an engine of kernels/matmul/gemm.h. With an engine of bf16 the softmax
// weights are rounded to bf16 before they are multiplied, as FlashAttention does; sums are f32.
#pragma once

#include "kernels/attention/attention.h"
#include "kernels/matmul/gemm.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

inline constexpr int64_t kScoreVectors = kKvBlock / kLanes;

// Cuts arrays out of one block of memory, each 64-byte aligned; base null only counts.
struct Carver {
  char* base;
  int64_t used = 0;

  template <class T>
  LLMTOOL_INLINE void take(T*& p, int64_t count) {
    p = base == nullptr ? nullptr : reinterpret_cast<T*>(base + used);
    used += ceil_div(count * static_cast<int64_t>(sizeof(T)), 64) * 64;
  }
};

LLMTOOL_INLINE void fill(float* p, int64_t n, float value) {
  for (int64_t i = 0; i < n; ++i) p[i] = value;
}

LLMTOOL_INLINE float first_lane(Vec x) {
  float lanes[kLanes];
  store(lanes, x);
  return lanes[0];
}

// Lanes of keys first_key, first_key + 1, ... that are not below limit become -infinity.
LLMTOOL_INLINE Vec masked(Vec x, int64_t first_key, int64_t limit) {
  if (first_key + kLanes <= limit) return x;
  alignas(64) static constexpr float kIndex[16] = {0, 1, 2,  3,  4,  5,  6,  7,
                                                   8, 9, 10, 11, 12, 13, 14, 15};
  return select_less(load(kIndex), set1(static_cast<float>(limit - first_key)), x,
                     set1(-__builtin_inff()));
}

template <class Element>
LLMTOOL_INLINE View rows_of(Element* data, int64_t rows, int64_t cols) {
  constexpr DType kDType = sizeof(Element) == sizeof(float) ? DType::kF32 : DType::kBF16;
  return View{data, rows, cols, cols, kDType};
}

// Panels and blocks as the engine packs them. k counts along the inner dimension of a product; a
// panel packed for k in [0, n) may be read from any multiple of kDepth on.
template <class Engine>
struct QueryTiles {
  using Element = typename Engine::Element;
  static constexpr int64_t kMr = Engine::kMr, kNr = Engine::kNr, kDepth = Engine::kDepth;
  // Positions that share packed keys: about 48 to 64.
  static constexpr int64_t kPanels = (48 + kMr - 1) / kMr;
  static constexpr int64_t kTile = kPanels * kMr;
  static_assert(kKvBlock % kNr == 0 && kKvBlock % kDepth == 0 && kMr % kDepth == 0);

  // head_dim as the inner dimension, and as columns.
  static int64_t depth(int64_t head_dim) { return ceil_div(head_dim, kDepth) * kDepth; }
  static int64_t width(int64_t head_dim) { return ceil_div(head_dim, kNr) * kNr; }

  // Zeros for k in [from, count) of a panel of columns.
  static void clear(Element* panel, int64_t from, int64_t count) {
    const int64_t at = ceil_div(from, kDepth) * kDepth;
    for (int64_t i = at * kNr; i < count * kNr; ++i) panel[i] = Element{};
  }

  // Rows [begin, begin + kKvBlock) of one head, transposed: the right side of q k^T, [kKvBlock /
  // kNr][depth][kNr].
  static void pack_keys(Element* to, const View& keys, int64_t begin, int64_t head_dim) {
    const int64_t deep = depth(head_dim);
    for (int64_t j = 0; j < kKvBlock; j += kNr) {
      if (begin + j < keys.rows) {
        Engine::pack_b(to + j * deep, {keys, true}, begin + j, 0, head_dim);
      } else {
        clear(to + j * deep, 0, deep);
      }
    }
  }

  // Rows [begin, begin + count) of one head as they are: the right side of weights v, [panels of
  // D][count][kNr].
  static void pack_rows(Element* to, const View& rows, int64_t begin, int64_t count,
                        int64_t head_dim) {
    const int64_t there = smaller(count, rows.rows - begin);
    for (int64_t d = 0; d < head_dim; d += kNr) {
      if (there > 0) Engine::pack_b(to + d * count, {rows, false}, d, begin, there);
      if (there < count) clear(to + d * count, there > 0 ? there : 0, count);
    }
  }

  // scores = q k^T: q a panel of rows, k packed by pack_keys; [kKvBlock / kNr][kMr][kNr].
  static void multiply_scores(float* scores, const Element* q, const Element* k, int64_t rows,
                              int64_t head_dim) {
    for (int64_t j = 0; j < kKvBlock; j += kNr) {
      Engine::multiply(rows, {scores + j * kMr, /*from_zero=*/true}, q, k + j * depth(head_dim),
                       head_dim);
    }
  }
  // Vector j of row r of the scores.
  LLMTOOL_INLINE static float* score_at(float* scores, int64_t r, int64_t j) {
    const int64_t key = j * kLanes;
    return scores + key / kNr * kMr * kNr + r * kNr + key % kNr;
  }

  // out += weights rows for a whole block of keys: weights [kMr][kKvBlock] as they lie, the other
  // arguments as below.
  static void add_weighted_block(float* out, int64_t pitch, const Element* weights,
                                 const Element* rows, int64_t panel_rows, int64_t head_dim) {
    for (int64_t d = 0; d < head_dim; d += kNr) {
      Engine::multiply_in_place(panel_rows, {out + d / kNr * pitch, /*from_zero=*/false}, weights,
                                kKvBlock, rows + d * kKvBlock, kKvBlock);
    }
  }

  // out += weights rows: `weights` a panel of rows packed for k in [0, count), `rows` packed by
  // pack_rows for `stride` rows of which [first, first + count) are multiplied; out [panels of
  // D][kMr][kNr], `pitch` floats from one to the next.
  static void add_weighted(float* out, int64_t pitch, const Element* weights, const Element* rows,
                           int64_t stride, int64_t first, int64_t panel_rows, int64_t count,
                           int64_t head_dim) {
    for (int64_t d = 0; d < head_dim; d += kNr) {
      Engine::multiply(panel_rows, {out + d / kNr * pitch, /*from_zero=*/false}, weights,
                       rows + d * stride + first * kNr, count);
    }
  }

  // Rows of [panel][panels of D][kMr][kNr] into a matrix.
  template <class T>
  static void store_rows(const View& to, int64_t begin, int64_t rows, const float* from) {
    const int64_t wide = width(to.cols);
    for (int64_t i = 0; i < rows; ++i) {
      const float* panel = from + i / kMr * kMr * wide + i % kMr * kNr;
      for_vectors(to.cols, [&](int64_t d, int64_t lanes) LLMTOOL_INLINE_LAMBDA {
        store_lanes(to.row<T>(begin + i) + d, load(panel + d / kNr * kNr * kMr + d % kNr), lanes);
      });
    }
  }
};

// Runs attention() by tiles of queries and groups of heads. Forward has
//   Engine       that it multiplies on
//   kPositions   of a tile
//   bytes        of memory for a tile, where no sequence has more queries
//   attend_tile  the tile of one group that begins at a query of a sequence
template <class Forward>
void attention_by_tiles(const Attention& a, Stream& s) {
  if (passed_down<typename Forward::Engine>(attention, a, a.q.dtype, s)) return;
  int64_t most_queries = 0;
  for (int64_t i = 0; i < a.sequence_count; ++i) {
    if (a.sequences[i].q_count > most_queries) most_queries = a.sequences[i].q_count;
  }
  const int64_t tiles = ceil_div(most_queries, Forward::kPositions);
  const auto bytes = static_cast<size_t>(Forward::bytes(a, most_queries));
  // Long tiles (the last of a causal sequence) first, so that no thread is left with one at the
  // end.
  s.parallel_for(a.sequence_count * a.kv_heads * tiles, 1, [&](int64_t begin, int64_t end, int t) {
    char* base = static_cast<char*>(s.scratch().of_thread(t, bytes));
    Forward::Engine::begin();
    for (int64_t i = begin; i < end; ++i) {
      const int64_t tile = tiles - 1 - i / (a.sequence_count * a.kv_heads);
      const AttentionSequence& seq = a.sequences[i / a.kv_heads % a.sequence_count];
      if (tile * Forward::kPositions >= seq.q_count) continue;
      Forward::attend_tile(a, seq, i % a.kv_heads, tile * Forward::kPositions, base);
    }
    Forward::Engine::end();
  });
}

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
