// The gradients of attention of bf16 on tensor cores: see attention_mma.cuh for the tiles and
// attention_backward_fma.cu for the formulas. p and ds are rounded to bf16 before they multiply.
#pragma once

#include "kernels/attention/attention_mma.cuh"

namespace llmtool::cuda {

// dq of one tile of rows, over the blocks of keys in order.
template <int kDim>
__global__ __launch_bounds__(kMmaThreads) void attention_dq_mma_kernel(
    View dq, View dout, View lse, View delta, View q, View k, View v, const AttentionTile* tiles,
    AttentionHeads heads, bool whole) {
  bf16* q_tile = dynamic_shared<bf16>();
  bf16* dout_tile = q_tile + kTile * kRowStride<kDim>;
  bf16* k_tile = dout_tile + kTile * kRowStride<kDim>;
  bf16* v_tile = k_tile + kTile * kRowStride<kDim>;
  const AttentionTile tile = tiles[blockIdx.x];
  const QueryRows<bf16> queries(q, tile, heads), douts(dout, tile, heads), results(dq, tile, heads);
  const KeyRows<bf16> keys(k, tile, heads), values(v, tile, heads);
  const int warp_row = warp_of_thread() * kWarpRows;

  int position[2];
  float row_lse[2], row_delta[2];
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    const int m = tile.first + warp_row + lane_g() + 8 * i;
    const bool there = m < queries.rows;
    position[i] = there ? tile.position(m, heads.group) : -1;
    row_lse[i] = there ? *of_head(lse, tile, heads, m) * kLog2E : 0.0f;
    row_delta[i] = there ? *of_head(delta, tile, heads, m) : 0.0f;
  }
  float sums[kDim / 8][4] = {};
  load_tile<kDim, kTile>(q_tile, queries, tile.first, heads.head_dim, whole);
  load_tile<kDim, kTile>(dout_tile, douts, tile.first, heads.head_dim, whole);
  for (int block = 0; block < tile.work; ++block) {
    load_tile<kDim, kTile>(k_tile, keys, block * kTile, heads.head_dim, whole);
    load_tile<kDim, kTile>(v_tile, values, block * kTile, heads.head_dim, whole);
    commit_copies();
    wait_for_copies<0>();
    __syncthreads();
    float s[kTile / 8][4] = {}, dp[kTile / 8][4] = {};
    multiply_rows<kDim, kTile>(s, q_tile, warp_row, k_tile);
    multiply_rows<kDim, kTile>(dp, dout_tile, warp_row, v_tile);
#pragma unroll
    for (int n = 0; n < kTile / 8; ++n) {
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        const int i = j / 2;
        const bool seen = block * kTile + n * 8 + lane_t() * 2 + j % 2 <= position[i];
        const float p = seen ? exp2f(s[n][j] * (heads.scale * kLog2E) - row_lse[i]) : 0.0f;
        s[n][j] = p * (dp[n][j] - row_delta[i]);
      }
    }
    add_weighted_rows<kDim, kTile>(sums, s, k_tile);
    __syncthreads();
  }
  const float factor[2] = {heads.scale, heads.scale};
  store_warp_rows<kDim>(sums, factor, results, tile.first, heads.head_dim);
}

// The rows visited at a time by a block of keys: as many as registers allow.
template <int kDim>
inline constexpr int kVisited = kDim <= 64 ? 64 : 32;

template <int kDim>
inline constexpr size_t kDkvBytes = 2 * kTileBytes<kDim> +
                                    size_t{kVisited<kDim>} * (2 * kRowStride<kDim> * sizeof(bf16) +
                                                              2 * sizeof(float) + sizeof(int));

// What a block of keys needs to know of the visited rows, by row. A row that is not there sees
// nothing.
template <int kDim>
struct VisitedRows {
  float lse[kVisited<kDim>];  // times log2(e)
  float delta[kVisited<kDim>];
  int position[kVisited<kDim>];

  __device__ void load(const View& from_lse, const View& from_delta, const AttentionTile& tile,
                       const AttentionHeads& heads, int first, int rows) {
    for (int i = static_cast<int>(threadIdx.x); i < kVisited<kDim>; i += kMmaThreads) {
      const int m = first + i;
      const bool there = m < rows;
      lse[i] = there ? *of_head(from_lse, tile, heads, m) * kLog2E : 0.0f;
      delta[i] = there ? *of_head(from_delta, tile, heads, m) : 0.0f;
      position[i] = there ? tile.position(m, heads.group) : -1;
    }
  }
};

// dk and dv of one block of keys, over the tiles of rows that see it, in order; so the heads of the
// group are added up without atomics. A warp has 16 keys: its scores are those of q k^T transposed.
template <int kDim>
__global__ __launch_bounds__(kMmaThreads) void attention_dkv_mma_kernel(
    View dk, View dv, View dout, View lse, View delta, View q, View k, View v,
    const AttentionTile* tiles, AttentionHeads heads, bool whole) {
  constexpr int kRows = kVisited<kDim>;
  bf16* k_tile = dynamic_shared<bf16>();
  bf16* v_tile = k_tile + kTile * kRowStride<kDim>;
  bf16* q_tile = v_tile + kTile * kRowStride<kDim>;
  bf16* dout_tile = q_tile + kRows * kRowStride<kDim>;
  auto& visited = *reinterpret_cast<VisitedRows<kDim>*>(dout_tile + kRows * kRowStride<kDim>);
  const AttentionTile tile = tiles[blockIdx.x];
  const QueryRows<bf16> queries(q, tile, heads), douts(dout, tile, heads);
  const KeyRows<bf16> keys(k, tile, heads), values(v, tile, heads);
  const int warp_key = warp_of_thread() * kWarpRows;
  const int key = tile.first + warp_key + lane_g();

  float dk_sum[kDim / 8][4] = {}, dv_sum[kDim / 8][4] = {};
  load_tile<kDim, kTile>(k_tile, keys, tile.first, heads.head_dim, whole);
  load_tile<kDim, kTile>(v_tile, values, tile.first, heads.head_dim, whole);
  for (int first = first_row_of(tile, heads.group, kRows); first < queries.rows; first += kRows) {
    load_tile<kDim, kRows>(q_tile, queries, first, heads.head_dim, whole);
    load_tile<kDim, kRows>(dout_tile, douts, first, heads.head_dim, whole);
    commit_copies();
    visited.load(lse, delta, tile, heads, first, queries.rows);
    wait_for_copies<0>();
    __syncthreads();
    float p[kRows / 8][4] = {}, ds[kRows / 8][4] = {};
    multiply_rows<kDim, kRows>(p, k_tile, warp_key, q_tile);
    multiply_rows<kDim, kRows>(ds, v_tile, warp_key, dout_tile);
#pragma unroll
    for (int n = 0; n < kRows / 8; ++n) {
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        const int m = n * 8 + lane_t() * 2 + j % 2;
        const bool seen = key + j / 2 * 8 <= visited.position[m];
        p[n][j] = seen ? exp2f(p[n][j] * (heads.scale * kLog2E) - visited.lse[m]) : 0.0f;
        ds[n][j] = p[n][j] * (ds[n][j] - visited.delta[m]);
      }
    }
    add_weighted_rows<kDim, kRows>(dv_sum, p, dout_tile);
    add_weighted_rows<kDim, kRows>(dk_sum, ds, q_tile);
    __syncthreads();
  }
  wait_for_copies<0>();
  const float scale[2] = {heads.scale, heads.scale}, one[2] = {1, 1};
  const KeyRows<bf16> dkeys(dk, tile, heads), dvalues(dv, tile, heads);
  store_warp_rows<kDim>(dk_sum, scale, dkeys, tile.first, heads.head_dim);
  store_warp_rows<kDim>(dv_sum, one, dvalues, tile.first, heads.head_dim);
}

}  // namespace llmtool::cuda
