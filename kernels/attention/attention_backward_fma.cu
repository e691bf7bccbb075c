// The gradients of attention with fused multiply-adds in f32: see attention_fma.cuh. With the
// weights p = exp(s - lse) computed again and delta = dout . out,
//     dv = p^T dout,  ds = p * (dout v^T - delta),  dq = scale ds k,  dk = scale ds^T q.
#include "kernels/attention/attention_backward_job.cuh"
#include "kernels/attention/attention_fma.cuh"

namespace llmtool::cuda {
namespace {

// dq of one tile of rows, over the blocks of keys in order.
template <class T, int kColumns>
__global__ __launch_bounds__(kFmaThreads) void attention_dq_fma_kernel(View dq, View dout, View lse,
                                                                       View delta, View q, View k,
                                                                       View v,
                                                                       const AttentionTile* tiles,
                                                                       AttentionHeads heads) {
  __shared__ ChunkTile a, b;
  __shared__ WeightTile weights;
  const AttentionTile tile = tiles[blockIdx.x];
  const QueryRows<T> queries(q, tile, heads), douts(dout, tile, heads), results(dq, tile, heads);
  const KeyRows<T> keys(k, tile, heads), values(v, tile, heads);

  int position[kPerThread];
  float row_lse[kPerThread], row_delta[kPerThread], factor[kPerThread];
  float sum[kPerThread][kColumns] = {};
#pragma unroll
  for (int i = 0; i < kPerThread; ++i) {
    const int m = tile.first + kPerThread * thread_y() + i;
    const bool there = m < queries.rows;
    position[i] = there ? tile.position(m, heads.group) : -1;
    row_lse[i] = there ? *of_head(lse, tile, heads, m) : 0.0f;
    row_delta[i] = there ? *of_head(delta, tile, heads, m) : 0.0f;
    factor[i] = heads.scale;
  }
  for (int block = 0; block < tile.work; ++block) {
    Scores s, dp;
    dot_tile(s, a, b, queries, tile.first, keys, block * kTile, heads.head_dim);
    dot_tile(dp, a, b, douts, tile.first, values, block * kTile, heads.head_dim);
#pragma unroll
    for (int i = 0; i < kPerThread; ++i) {
#pragma unroll
      for (int j = 0; j < kPerThread; ++j) {
        const bool seen = block * kTile + thread_x() + kSquare * j <= position[i];
        const float p = seen ? expf(s[i][j] * heads.scale - row_lse[i]) : 0.0f;
        s[i][j] = p * (dp[i][j] - row_delta[i]);
      }
    }
    store_weights(weights, s);
    add_weighted(sum, weights, b, keys, block * kTile, heads.head_dim);
  }
  store_rows<T>(sum, factor, results, tile.first, heads.head_dim);
}

// dk and dv of one block of keys, over the tiles of rows that see it, in order; so the heads of the
// group are added up without atomics. Here the thread's rows are keys and its columns rows.
template <class T, int kColumns>
__global__ __launch_bounds__(kFmaThreads) void attention_dkv_fma_kernel(View dk, View dv, View dout,
                                                                        View lse, View delta,
                                                                        View q, View k, View v,
                                                                        const AttentionTile* tiles,
                                                                        AttentionHeads heads) {
  __shared__ ChunkTile a, b;
  __shared__ WeightTile weights;
  const AttentionTile tile = tiles[blockIdx.x];
  const QueryRows<T> queries(q, tile, heads), douts(dout, tile, heads);
  const KeyRows<T> keys(k, tile, heads), values(v, tile, heads);
  const KeyRows<T> dkeys(dk, tile, heads), dvalues(dv, tile, heads);

  float dk_sum[kPerThread][kColumns] = {}, dv_sum[kPerThread][kColumns] = {};
  for (int first = first_row_of(tile, heads.group, kTile); first < queries.rows; first += kTile) {
    Scores s, dp;
    dot_tile(s, a, b, keys, tile.first, queries, first, heads.head_dim);
    dot_tile(dp, a, b, values, tile.first, douts, first, heads.head_dim);
#pragma unroll
    for (int j = 0; j < kPerThread; ++j) {
      const int m = first + thread_x() + kSquare * j;
      const bool there = m < queries.rows;
      const int position = there ? tile.position(m, heads.group) : -1;
      const float row_lse = there ? *of_head(lse, tile, heads, m) : 0.0f;
      const float row_delta = there ? *of_head(delta, tile, heads, m) : 0.0f;
#pragma unroll
      for (int i = 0; i < kPerThread; ++i) {
        const bool seen = tile.first + kPerThread * thread_y() + i <= position;
        s[i][j] = seen ? expf(s[i][j] * heads.scale - row_lse) : 0.0f;
        dp[i][j] = s[i][j] * (dp[i][j] - row_delta);
      }
    }
    store_weights(weights, s);
    add_weighted(dv_sum, weights, b, douts, first, heads.head_dim);
    __syncthreads();
    store_weights(weights, dp);
    add_weighted(dk_sum, weights, b, queries, first, heads.head_dim);
  }
  float scale[kPerThread], one[kPerThread];
#pragma unroll
  for (int i = 0; i < kPerThread; ++i) {
    scale[i] = heads.scale;
    one[i] = 1.0f;
  }
  store_rows<T>(dk_sum, scale, dkeys, tile.first, heads.head_dim);
  store_rows<T>(dv_sum, one, dvalues, tile.first, heads.head_dim);
}

template <class T, int kDim>
void run(const AttentionBackwardJob& j) {
  const AttentionBackward& a = j.args;
  constexpr int kColumns = kDim / kSquare;
  launch(attention_backward.name, attention_dkv_fma_kernel<T, kColumns>, j.key_grid,
         dim3(kFmaThreads), 0, j.stream, a.dk, a.dv, a.dout, a.lse, a.delta, a.q, a.k, a.v, j.keys,
         j.heads);
  launch(attention_backward.name, attention_dq_fma_kernel<T, kColumns>, j.row_grid,
         dim3(kFmaThreads), 0, j.stream, a.dq, a.dout, a.lse, a.delta, a.q, a.k, a.v, j.rows,
         j.heads);
}

}  // namespace

void attention_backward_fma(const AttentionBackwardJob& job) {
  if (job.args.q.dtype == DType::kBF16) {
    run<bf16, kMaxHeadDim>(job);
  } else {
    job.heads.head_dim <= 64 ? run<float, 64>(job) : run<float, kMaxHeadDim>(job);
  }
}

}  // namespace llmtool::cuda
