// Attention with fused multiply-adds in f32, for every element type and head dimension: tiles of 64
// rows and 64 keys, 256 threads in a square of 16. Thread (ty, tx) owns rows 4 ty + i and columns
// tx + 16 j. Each sum is one chain, over D or over keys in order.
#pragma once

#include <cmath>

#include "kernels/attention/attention_work.cuh"
#include "kernels/cuda/lanes.cuh"
#include "kernels/cuda/reduce.cuh"

namespace llmtool::cuda {

inline constexpr int kSquare = 16;
inline constexpr int kFmaThreads = kSquare * kSquare;
inline constexpr int kPerThread = kTile / kSquare;
inline constexpr int kChunk = 32;  // columns of D in shared memory at a time

// One float more than a row needs: threads of a warp read different banks.
using ChunkTile = float[kTile][kChunk + 1];
using WeightTile = float[kTile][kTile + 1];
using Scores = float[kPerThread][kPerThread];

__device__ inline int thread_y() {
  return static_cast<int>(threadIdx.x) / kSquare;
}
__device__ inline int thread_x() {
  return static_cast<int>(threadIdx.x) % kSquare;
}

// to[i][d] = rows(first + i)[begin + d], 0 beyond the rows and beyond D.
template <class Rows>
__device__ void load_chunk(ChunkTile& to, const Rows& rows, int first, int begin, int head_dim) {
  for (int e = static_cast<int>(threadIdx.x); e < kTile * kChunk; e += kFmaThreads) {
    const int i = e / kChunk, d = e % kChunk;
    const auto* row = rows(first + i);
    to[i][d] = row != nullptr && begin + d < head_dim ? to_float(row[begin + d]) : 0.0f;
  }
}

// s[i][j] = the dot product of row 4 ty + i of `a` and row tx + 16 j of `b`.
template <class A, class B>
__device__ void dot_tile(Scores& s, ChunkTile& a_chunk, ChunkTile& b_chunk, const A& a, int a_first,
                         const B& b, int b_first, int head_dim) {
#pragma unroll
  for (int i = 0; i < kPerThread; ++i) {
#pragma unroll
    for (int j = 0; j < kPerThread; ++j) s[i][j] = 0;
  }
  for (int begin = 0; begin < head_dim; begin += kChunk) {
    __syncthreads();
    load_chunk(a_chunk, a, a_first, begin, head_dim);
    load_chunk(b_chunk, b, b_first, begin, head_dim);
    __syncthreads();
#pragma unroll 8
    for (int d = 0; d < kChunk; ++d) {
      float u[kPerThread], v[kPerThread];
#pragma unroll
      for (int i = 0; i < kPerThread; ++i) u[i] = a_chunk[kPerThread * thread_y() + i][d];
#pragma unroll
      for (int j = 0; j < kPerThread; ++j) v[j] = b_chunk[thread_x() + kSquare * j][d];
#pragma unroll
      for (int i = 0; i < kPerThread; ++i) {
#pragma unroll
        for (int j = 0; j < kPerThread; ++j) s[i][j] = fmaf(u[i], v[j], s[i][j]);
      }
    }
  }
}

__device__ inline void store_weights(WeightTile& to, const Scores& s) {
#pragma unroll
  for (int i = 0; i < kPerThread; ++i) {
#pragma unroll
    for (int j = 0; j < kPerThread; ++j) {
      to[kPerThread * thread_y() + i][thread_x() + kSquare * j] = s[i][j];
    }
  }
}

// sum[i][c] += weights(4 ty + i, k) * rows(first + k)[tx + 16 c] over k = 0..63 in order. The
// weights are read after a barrier.
template <int kColumns, class Rows>
__device__ void add_weighted(float (&sum)[kPerThread][kColumns], const WeightTile& weights,
                             ChunkTile& chunk, const Rows& rows, int first, int head_dim) {
  constexpr int kOfChunk = kChunk / kSquare;
#pragma unroll
  for (int c = 0; c < kColumns; c += kOfChunk) {
    if (c * kSquare >= head_dim) break;
    __syncthreads();
    load_chunk(chunk, rows, first, c * kSquare, head_dim);
    __syncthreads();
#pragma unroll 4
    for (int k = 0; k < kTile; ++k) {
#pragma unroll
      for (int i = 0; i < kPerThread; ++i) {
        const float weight = weights[kPerThread * thread_y() + i][k];
#pragma unroll
        for (int j = 0; j < kOfChunk; ++j) {
          sum[i][c + j] = fmaf(weight, chunk[k][thread_x() + kSquare * j], sum[i][c + j]);
        }
      }
    }
  }
}

// rows(first + 4 ty + i)[tx + 16 c] = sum[i][c] * factor[i].
template <class T, int kColumns, class Rows>
__device__ void store_rows(const float (&sum)[kPerThread][kColumns],
                           const float (&factor)[kPerThread], const Rows& rows, int first,
                           int head_dim) {
#pragma unroll
  for (int i = 0; i < kPerThread; ++i) {
    T* row = rows(first + kPerThread * thread_y() + i);
    if (row == nullptr) continue;
#pragma unroll
    for (int c = 0; c < kColumns; ++c) {
      const int d = thread_x() + kSquare * c;
      if (d < head_dim) row[d] = Lanes<T>::template rounded<T>(sum[i][c] * factor[i]);
    }
  }
}

// Over the sixteen threads of a row, in pairs.
__device__ inline float max_of_row(float v) {
#pragma unroll
  for (int d = kSquare / 2; d > 0; d /= 2) v = fmaxf(v, __shfl_xor_sync(kAllLanes, v, d));
  return v;
}
__device__ inline float sum_of_row(float v) {
#pragma unroll
  for (int d = kSquare / 2; d > 0; d /= 2) v += __shfl_xor_sync(kAllLanes, v, d);
  return v;
}

// The running softmax of a thread's rows: largest score, sum of exp(score - largest) over this
// thread's keys.
struct RunningRows {
  float largest[kPerThread], sum[kPerThread];
};

// Scores of a block of keys to weights; the rows so far shrink by `shrink`. A block that a row does
// not see leaves its sums as they are, to the bit.
__device__ inline void weigh(Scores& s, RunningRows& run, float (&shrink)[kPerThread],
                             const int (&position)[kPerThread], int first_key, float scale) {
#pragma unroll
  for (int i = 0; i < kPerThread; ++i) {
    float largest = -INFINITY;
#pragma unroll
    for (int j = 0; j < kPerThread; ++j) {
      const bool seen = first_key + thread_x() + kSquare * j <= position[i];
      s[i][j] = seen ? s[i][j] * scale : -INFINITY;
      largest = fmaxf(largest, s[i][j]);
    }
    largest = fmaxf(run.largest[i], max_of_row(largest));
    shrink[i] = expf(run.largest[i] - largest);
    run.largest[i] = largest;
    float sum = 0;
#pragma unroll
    for (int j = 0; j < kPerThread; ++j) {
      s[i][j] = expf(s[i][j] - largest);
      sum += s[i][j];
    }
    run.sum[i] = run.sum[i] * shrink[i] + sum;
  }
}

template <class T, int kColumns>
__global__ __launch_bounds__(kFmaThreads) void attention_fma_kernel(View out, View lse, View q,
                                                                    View k, View v,
                                                                    const AttentionTile* tiles,
                                                                    AttentionHeads heads) {
  __shared__ ChunkTile a, b;
  __shared__ WeightTile weights;
  const AttentionTile tile = tiles[blockIdx.x];
  const QueryRows<T> queries(q, tile, heads), results(out, tile, heads);
  const KeyRows<T> keys(k, tile, heads), values(v, tile, heads);

  int position[kPerThread];
  RunningRows run;
  float sum[kPerThread][kColumns] = {};
#pragma unroll
  for (int i = 0; i < kPerThread; ++i) {
    position[i] = tile.position(tile.first + kPerThread * thread_y() + i, heads.group);
    run.largest[i] = -INFINITY;
    run.sum[i] = 0;
  }
  for (int block = 0; block < tile.work; ++block) {
    Scores s;
    float shrink[kPerThread];
    dot_tile(s, a, b, queries, tile.first, keys, block * kTile, heads.head_dim);
    weigh(s, run, shrink, position, block * kTile, heads.scale);
#pragma unroll
    for (int i = 0; i < kPerThread; ++i) {
#pragma unroll
      for (int c = 0; c < kColumns; ++c) sum[i][c] *= shrink[i];
    }
    store_weights(weights, s);
    add_weighted(sum, weights, b, values, block * kTile, heads.head_dim);
  }
#pragma unroll
  for (int i = 0; i < kPerThread; ++i) {
    const float total = sum_of_row(run.sum[i]);
    const int m = tile.first + kPerThread * thread_y() + i;
    if (!lse.empty() && thread_x() == 0 && m < queries.rows) {
      *of_head(lse, tile, heads, m) = run.largest[i] + logf(total);
    }
    run.sum[i] = 1.0f / total;
  }
  store_rows<T>(sum, run.sum, results, tile.first, heads.head_dim);
}

}  // namespace llmtool::cuda
