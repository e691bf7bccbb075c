// Attention of bf16 on tensor cores: tiles of 64 rows and 64 keys, four warps of 16 rows each.
// kDim is D rounded up; columns beyond D are zeros in shared memory. Scores are kept times log2(e),
// so that exp2 serves for exp. Weights are rounded to bf16 before they multiply v.
#pragma once

#include <cmath>

#include "kernels/attention/attention_work.cuh"
#include "kernels/cuda/lanes.cuh"
#include "kernels/cuda/mma.cuh"
#include "kernels/cuda/reduce.cuh"

namespace llmtool::cuda {

inline constexpr int kMmaThreads = 128;
inline constexpr int kWarpRows = 16;
inline constexpr float kLog2E = 1.4426950408889634f;
inline constexpr float kLn2 = 0.6931471805599453f;

// A tile's rows lie 16 bytes further apart than they are long: ldmatrix then finds the eight rows
// of a matrix in different banks.
template <int kDim>
inline constexpr int kRowStride = kDim + 8;
template <int kDim>
inline constexpr size_t kTileBytes = size_t{kTile} * kRowStride<kDim> * sizeof(bf16);

__device__ inline int warp_of_thread() {
  return static_cast<int>(threadIdx.x) / kWarp;
}
__device__ inline int lane_of_thread() {
  return static_cast<int>(threadIdx.x) % kWarp;
}
__device__ inline int lane_g() {
  return lane_of_thread() / 4;
}
__device__ inline int lane_t() {
  return lane_of_thread() % 4;
}

// Whether rows of D elements can be moved in pieces of 16 bytes.
inline bool in_whole_pieces(const View& view, int64_t head_dim) {
  return head_dim % 8 == 0 && view.stride % 8 == 0 &&
         reinterpret_cast<uintptr_t>(view.data) % 16 == 0;
}

// Rows first..first + kRows - 1 to shared memory, zeros beyond the rows and beyond D. Waited for as
// copies.
template <int kDim, int kRows, class Rows>
__device__ void load_tile(bf16* to, const Rows& rows, int first, int head_dim, bool whole) {
  constexpr int kPieces = kDim / 8;
  for (int e = static_cast<int>(threadIdx.x); e < kRows * kPieces; e += kMmaThreads) {
    const int i = e / kPieces, d = e % kPieces * 8;
    const bf16* row = rows(first + i);
    bf16* piece = to + i * kRowStride<kDim> + d;
    if (whole) {
      const bool there = row != nullptr && d < head_dim;
      copy_async(piece, there ? row + d : rows.data, there);
    } else {
#pragma unroll
      for (int j = 0; j < 8; ++j) {
        piece[j] = row != nullptr && d + j < head_dim ? row[d + j] : bf16{0};
      }
    }
  }
}

// Sixteen rows and sixteen columns of a tile as operand A.
template <int kDim>
__device__ void load_a(unsigned (&a)[4], const bf16* tile, int row, int column) {
  const int lane = lane_of_thread();
  load_matrices(a, tile + (row + lane % 16) * kRowStride<kDim> + column + lane / 16 * 8);
}

// c[n] += A B^T: 16 rows of `a` from a_row, kRows rows of `b`, both of kDim columns.
template <int kDim, int kRows>
__device__ void multiply_rows(float (&c)[kRows / 8][4], const bf16* a, int a_row, const bf16* b) {
  const int lane = lane_of_thread(), matrix = lane / 8;
#pragma unroll
  for (int d = 0; d < kDim; d += 16) {
    unsigned of_a[4];
    load_a<kDim>(of_a, a, a_row, d);
#pragma unroll
    for (int n = 0; n < kRows; n += 16) {
      unsigned of_b[4];
      const int row = n + matrix / 2 * 8 + lane % 8;
      load_matrices(of_b, b + row * kRowStride<kDim> + d + matrix % 2 * 8);
      multiply_add(c[n / 8], of_a, of_b[0], of_b[1]);
      multiply_add(c[n / 8 + 1], of_a, of_b[2], of_b[3]);
    }
  }
}

// c += W X: the warp's 16 x kRows weights w, rounded to bf16, and kRows rows of `x`.
template <int kDim, int kRows>
__device__ void add_weighted_rows(float (&c)[kDim / 8][4], const float (&w)[kRows / 8][4],
                                  const bf16* x) {
  const int lane = lane_of_thread(), matrix = lane / 8;
#pragma unroll
  for (int k = 0; k < kRows; k += 16) {
    const float(&low)[4] = w[k / 8];
    const float(&high)[4] = w[k / 8 + 1];
    const unsigned of_w[4] = {pack(low[0], low[1]), pack(low[2], low[3]), pack(high[0], high[1]),
                              pack(high[2], high[3])};
#pragma unroll
    for (int d = 0; d < kDim; d += 16) {
      unsigned of_x[4];
      const int row = k + matrix % 2 * 8 + lane % 8;
      load_matrices_transposed(of_x, x + row * kRowStride<kDim> + d + matrix / 2 * 8);
      multiply_add(c[d / 8], of_w, of_x[0], of_x[1]);
      multiply_add(c[d / 8 + 1], of_w, of_x[2], of_x[3]);
    }
  }
}

// The two rows of the lane, g and g + 8 of the warp's sixteen, times factor, to rows(first + ...).
template <int kDim, class Rows>
__device__ void store_warp_rows(const float (&c)[kDim / 8][4], const float (&factor)[2],
                                const Rows& rows, int first, int head_dim) {
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    bf16* row = rows(first + warp_of_thread() * kWarpRows + lane_g() + 8 * i);
    if (row == nullptr) continue;
#pragma unroll
    for (int n = 0; n < kDim / 8; ++n) {
      const int d = n * 8 + lane_t() * 2;
      if (d < head_dim) row[d] = to_bf16(c[n][2 * i] * factor[i]);
      if (d + 1 < head_dim) row[d + 1] = to_bf16(c[n][2 * i + 1] * factor[i]);
    }
  }
}

// Over the four lanes that share a row.
__device__ inline float max_of_lanes(float v) {
  v = fmaxf(v, __shfl_xor_sync(kAllLanes, v, 2));
  return fmaxf(v, __shfl_xor_sync(kAllLanes, v, 1));
}
__device__ inline float sum_of_lanes(float v) {
  v += __shfl_xor_sync(kAllLanes, v, 2);
  return v + __shfl_xor_sync(kAllLanes, v, 1);
}

// Scores of a block of keys to weights, and what the sums so far shrink by. A block that a row does
// not see leaves its sums as they are, to the bit.
__device__ inline void weigh_lanes(float (&s)[kTile / 8][4], float (&largest)[2], float (&sum)[2],
                                   float (&shrink)[2], const int (&position)[2], int first_key,
                                   float scale) {
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    float top = -INFINITY;
#pragma unroll
    for (int n = 0; n < kTile / 8; ++n) {
#pragma unroll
      for (int j = 2 * i; j < 2 * i + 2; ++j) {
        const bool seen = first_key + n * 8 + lane_t() * 2 + j % 2 <= position[i];
        s[n][j] = seen ? s[n][j] * scale : -INFINITY;
        top = fmaxf(top, s[n][j]);
      }
    }
    top = fmaxf(largest[i], max_of_lanes(top));
    shrink[i] = exp2f(largest[i] - top);
    largest[i] = top;
    float added = 0;
#pragma unroll
    for (int n = 0; n < kTile / 8; ++n) {
#pragma unroll
      for (int j = 2 * i; j < 2 * i + 2; ++j) {
        s[n][j] = exp2f(s[n][j] - top);
        added += s[n][j];
      }
    }
    sum[i] = sum[i] * shrink[i] + added;
  }
}

template <int kDim>
__global__ __launch_bounds__(kMmaThreads) void attention_mma_kernel(View out, View lse, View q,
                                                                    View k, View v,
                                                                    const AttentionTile* tiles,
                                                                    AttentionHeads heads,
                                                                    bool whole) {
  bf16* q_tile = dynamic_shared<bf16>();
  bf16* k_tile = q_tile + kTile * kRowStride<kDim>;
  bf16* v_tile = k_tile + kTile * kRowStride<kDim>;
  const AttentionTile tile = tiles[blockIdx.x];
  const QueryRows<bf16> queries(q, tile, heads), results(out, tile, heads);
  const KeyRows<bf16> keys(k, tile, heads), values(v, tile, heads);
  const int row = tile.first + warp_of_thread() * kWarpRows + lane_g();
  const int position[2] = {tile.position(row, heads.group), tile.position(row + 8, heads.group)};
  float sums[kDim / 8][4] = {};
  float largest[2] = {-INFINITY, -INFINITY}, sum[2] = {0, 0};

  load_tile<kDim, kTile>(q_tile, queries, tile.first, heads.head_dim, whole);
  load_tile<kDim, kTile>(k_tile, keys, 0, heads.head_dim, whole);
  commit_copies();
  for (int block = 0; block < tile.work; ++block) {
    load_tile<kDim, kTile>(v_tile, values, block * kTile, heads.head_dim, whole);
    commit_copies();
    wait_for_copies<1>();  // all but v
    __syncthreads();
    float s[kTile / 8][4] = {};
    multiply_rows<kDim, kTile>(s, q_tile, warp_of_thread() * kWarpRows, k_tile);
    __syncthreads();
    if (block + 1 < tile.work) {
      load_tile<kDim, kTile>(k_tile, keys, (block + 1) * kTile, heads.head_dim, whole);
    }
    commit_copies();
    float shrink[2];
    weigh_lanes(s, largest, sum, shrink, position, block * kTile, heads.scale * kLog2E);
#pragma unroll
    for (int n = 0; n < kDim / 8; ++n) {
#pragma unroll
      for (int j = 0; j < 4; ++j) sums[n][j] *= shrink[j / 2];
    }
    wait_for_copies<1>();  // all but the next k
    __syncthreads();
    add_weighted_rows<kDim, kTile>(sums, s, v_tile);
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    sum[i] = sum_of_lanes(sum[i]);
    const int m = row + 8 * i;
    if (!lse.empty() && lane_t() == 0 && m < queries.rows) {
      *of_head(lse, tile, heads, m) = (largest[i] + log2f(sum[i])) * kLn2;
    }
    sum[i] = 1.0f / sum[i];
  }
  store_warp_rows<kDim>(sums, sum, results, tile.first, heads.head_dim);
}

}  // namespace llmtool::cuda
