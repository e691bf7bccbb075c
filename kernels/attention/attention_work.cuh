// How attention is cut into blocks of threads on CUDA. The heads of a group share keys and values:
// row m of a sequence is query m / G under head m % G of the group, G = H / Hkv. So a block works
// for one key/value head on kTile rows, or on kKvBlock keys, whatever G is, and a single query of
// decoding still fills G rows.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/attention/attention.h"
#include "kernels/cuda/launch.cuh"

namespace llmtool::cuda {

inline constexpr int kTile = 64;
inline constexpr int kMaxHeadDim = 256;
static_assert(kKvBlock == kTile);

// One sequence and where in it the block begins: a row, or a key.
struct AttentionTile {
  int64_t q_begin, kv_begin;
  int32_t q_count, kv_count;
  int32_t first;
  int32_t work;  // blocks of keys or tiles of rows to visit

  // Of the query of row m: it sees keys 0..position.
  __device__ int position(int m, int group) const { return kv_count - q_count + m / group; }
};

struct AttentionHeads {
  int group, head_dim;
  float scale;
};

// Row m of a sequence in a matrix of queries, for key/value head blockIdx.y; null past the last
// row.
template <class T>
struct QueryRows {
  T* data;
  int64_t stride;
  int group, head_dim, rows, head;

  __device__ QueryRows(const View& view, const AttentionTile& tile, const AttentionHeads& heads)
      : data(view.row<T>(tile.q_begin)),
        stride(view.stride),
        group(heads.group),
        head_dim(heads.head_dim),
        rows(tile.q_count * heads.group),
        head(static_cast<int>(blockIdx.y) * heads.group) {}

  __device__ T* operator()(int m) const {
    return m < rows ? data + m / group * stride + int64_t{head + m % group} * head_dim : nullptr;
  }
};

// Key j of a sequence in a matrix of keys, likewise.
template <class T>
struct KeyRows {
  T* data;
  int64_t stride;
  int keys;

  __device__ KeyRows(const View& view, const AttentionTile& tile, const AttentionHeads& heads)
      : data(view.row<T>(tile.kv_begin) + int64_t{blockIdx.y} * heads.head_dim),
        stride(view.stride),
        keys(tile.kv_count) {}

  __device__ T* operator()(int j) const { return j < keys ? data + j * stride : nullptr; }
};

// Row m's entry of an (Nq, H) matrix; m must be a row.
__device__ inline float* of_head(const View& view, const AttentionTile& tile,
                                 const AttentionHeads& heads, int m) {
  return view.row<float>(tile.q_begin + m / heads.group) + blockIdx.y * heads.group +
         m % heads.group;
}

inline void check_sequence(const AttentionSequence& s) {
  constexpr int64_t kMaxRows = int64_t{1} << 24;
  LLMTOOL_ASSERT(s.q_count >= 0 && s.kv_count >= s.q_count && s.kv_count < kMaxRows);
}

// Tiles of kTile rows, those with most keys to visit first.
inline std::vector<AttentionTile> row_tiles(const AttentionSequence* sequences, int64_t count,
                                            int64_t group) {
  std::vector<AttentionTile> tiles;
  for (int64_t i = 0; i < count; ++i) {
    const AttentionSequence& s = sequences[i];
    check_sequence(s);
    const int64_t rows = s.q_count * group;
    for (int64_t first = 0; first < rows; first += kTile) {
      const int64_t last_query = (std::min<int64_t>(first + kTile, rows) - 1) / group;
      const int64_t last_key = s.kv_count - s.q_count + last_query;
      tiles.push_back({s.q_begin, s.kv_begin, static_cast<int32_t>(s.q_count),
                       static_cast<int32_t>(s.kv_count), static_cast<int32_t>(first),
                       static_cast<int32_t>(last_key / kKvBlock + 1)});
    }
  }
  std::stable_sort(tiles.begin(), tiles.end(),
                   [](const auto& a, const auto& b) { return a.work > b.work; });
  return tiles;
}

// The first row, counted in whole tiles of `tile` rows, that sees key `first`.
__host__ __device__ inline int first_row_of(const AttentionTile& t, int group, int tile) {
  const int query = t.first - (t.kv_count - t.q_count);
  return query <= 0 ? 0 : query * group / tile * tile;
}

// Blocks of kKvBlock keys, those with most rows to visit first.
inline std::vector<AttentionTile> key_blocks(const AttentionSequence* sequences, int64_t count,
                                             int64_t group) {
  std::vector<AttentionTile> blocks;
  for (int64_t i = 0; i < count; ++i) {
    const AttentionSequence& s = sequences[i];
    check_sequence(s);
    for (int64_t first = 0; first < s.kv_count; first += kKvBlock) {
      AttentionTile t{s.q_begin,
                      s.kv_begin,
                      static_cast<int32_t>(s.q_count),
                      static_cast<int32_t>(s.kv_count),
                      static_cast<int32_t>(first),
                      0};
      t.work =
          static_cast<int32_t>(s.q_count * group) - first_row_of(t, static_cast<int>(group), kTile);
      blocks.push_back(t);
    }
  }
  std::stable_sort(blocks.begin(), blocks.end(),
                   [](const auto& a, const auto& b) { return a.work > b.work; });
  return blocks;
}

inline const AttentionTile* upload(const std::vector<AttentionTile>& tiles, const Stream& stream) {
  return static_cast<const AttentionTile*>(context_of(stream).upload(
      tiles.data(), static_cast<int64_t>(tiles.size() * sizeof(AttentionTile))));
}

}  // namespace llmtool::cuda
