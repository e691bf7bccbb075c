// What attention's forward and backward share on the vector levels: panels of queries against
// blocks of keys, multiplied by the tiles of kernels/matmul/gemm.h.
#pragma once

#include "kernels/attention/attention.h"
#include "kernels/matmul/gemm.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

inline constexpr int64_t kQueryPanels = kLanes == 16 ? 4 : 8;
inline constexpr int64_t kQueryTile = kQueryPanels * kMr;  // positions that share packed keys
inline constexpr int64_t kScoreVectors = kKvBlock / kLanes;
static_assert(kKvBlock % kNr == 0);

// head_dim rounded up to whole panels of kNr columns.
LLMTOOL_INLINE int64_t padded(int64_t head_dim) {
  return ceil_div(head_dim, kNr) * kNr;
}

// Cuts arrays out of one block of floats, each 64-byte aligned; base null only counts.
struct Carver {
  float* base;
  int64_t used = 0;

  LLMTOOL_INLINE float* take(int64_t floats) {
    float* p = base == nullptr ? nullptr : base + used;
    used += ceil_div(floats, 16) * 16;
    return p;
  }
};

inline void fill(float* p, int64_t n, float value) {
  for (int64_t i = 0; i < n; ++i) p[i] = value;
}

LLMTOOL_INLINE float first_lane(Vec x) {
  float lanes[kLanes];
  store(lanes, x);
  return lanes[0];
}

// Vector j of row r of a [kKvBlock / kNr][kMr][kNr] array of scores.
LLMTOOL_INLINE float* score_at(float* scores, int64_t r, int64_t j) {
  const int64_t key = j * kLanes;
  return scores + key / kNr * kMr * kNr + r * kNr + key % kNr;
}

// Lanes of keys first_key, first_key + 1, ... that are not below limit become -infinity.
LLMTOOL_INLINE Vec masked(Vec x, int64_t first_key, int64_t limit) {
  if (first_key + kLanes <= limit) return x;
  alignas(64) static constexpr float kIndex[16] = {0, 1, 2,  3,  4,  5,  6,  7,
                                                   8, 9, 10, 11, 12, 13, 14, 15};
  return select_less(load(kIndex), set1(static_cast<float>(limit - first_key)), x,
                     set1(-__builtin_inff()));
}

// Keys (rows) [begin, begin + kKvBlock) of one head: [kKvBlock / kNr][D][kNr], transposed; zeros
// past the last key.
inline void pack_keys(float* to, const View& keys, int64_t begin, int64_t head_dim) {
  for (int64_t j = 0; j < kKvBlock; j += kNr) {
    if (begin + j < keys.rows) {
      pack_panel(to + j * head_dim, kNr, keys, true, begin + j, 0, head_dim);
    } else {
      fill(to + j * head_dim, kNr * head_dim, 0.0f);
    }
  }
}

// Rows [begin, begin + count) of one head, straight: [D panels][count][kNr]; zeros past the last.
inline void pack_rows(float* to, const View& rows, int64_t begin, int64_t count, int64_t head_dim) {
  const int64_t there = smaller(count, rows.rows - begin);
  for (int64_t d = 0; d < head_dim; d += kNr) {
    float* panel = to + d * count;
    if (there > 0) pack_panel(panel, kNr, rows, false, d, begin, there);
    if (there < count)
      fill(panel + (there > 0 ? there : 0) * kNr, (count - (there > 0 ? there : 0)) * kNr, 0.0f);
  }
}

inline void pack_values(float* to, const View& values, int64_t begin, int64_t head_dim) {
  pack_rows(to, values, begin, kKvBlock, head_dim);
}

// scores = q k^T: q a panel [D][kMr], k packed by pack_keys.
inline void multiply_scores(float* scores, const float* q, const float* k, int64_t rows,
                            int64_t head_dim) {
  fill(scores, kMr * kKvBlock, 0.0f);
  for (int64_t j = 0; j < kKvBlock; j += kNr) {
    multiply_rows(rows, scores + j * kMr, q, k + j * head_dim, head_dim);
  }
}

// to[key][kMr] = scores of `rows` rows.
inline void transpose_scores(float* to, const float* scores, int64_t rows) {
  for (int64_t j = 0; j < kKvBlock; j += kNr) {
    pack_transposed(to + j * kMr, kMr, scores + j * kMr, kNr, rows, kNr);
  }
}

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
