#include "kernels/attention/attention_backward_job.cuh"
#include "kernels/attention/attention_backward_mma.cuh"

namespace llmtool::cuda {
namespace {

constexpr int kDeltaWarps = 4;

// delta[n][h] = dout . out of one head, one warp each.
template <class T>
__global__ void attention_delta_kernel(View delta, View dout, View out, int head_dim) {
  const int64_t index = int64_t{blockIdx.x} * kDeltaWarps + threadIdx.x / kWarp;
  if (index >= delta.count()) return;
  const int64_t n = index / delta.cols, h = index % delta.cols;
  const T *a = dout.row<T>(n) + h * head_dim, *b = out.row<T>(n) + h * head_dim;
  float sum = 0;
  for (int d = static_cast<int>(threadIdx.x) % kWarp; d < head_dim; d += kWarp) {
    sum += to_float(a[d]) * to_float(b[d]);
  }
  sum = warp_sum(sum);
  if (threadIdx.x % kWarp == 0) delta.row<float>(n)[h] = sum;
}

template <class T>
void run_delta(const AttentionBackwardJob& j) {
  const AttentionBackward& a = j.args;
  launch(attention_backward.name, attention_delta_kernel<T>,
         dim3(static_cast<unsigned>(ceil_div(a.delta.count(), kDeltaWarps))),
         dim3(kDeltaWarps * kWarp), 0, j.stream, a.delta, a.dout, a.out, j.heads.head_dim);
}

template <int kDim>
void run_mma(const AttentionBackwardJob& j) {
  const AttentionBackward& a = j.args;
  const bool whole = in_whole_pieces(a.q, a.head_dim) && in_whole_pieces(a.k, a.head_dim) &&
                     in_whole_pieces(a.v, a.head_dim) && in_whole_pieces(a.dout, a.head_dim);
  launch(attention_backward.name, attention_dkv_mma_kernel<kDim>, j.key_grid, dim3(kMmaThreads),
         kDkvBytes<kDim>, j.stream, a.dk, a.dv, a.dout, a.lse, a.delta, a.q, a.k, a.v, j.keys,
         j.heads, whole);
  launch(attention_backward.name, attention_dq_mma_kernel<kDim>, j.row_grid, dim3(kMmaThreads),
         4 * kTileBytes<kDim>, j.stream, a.dq, a.dout, a.lse, a.delta, a.q, a.k, a.v, j.rows,
         j.heads, whole);
}

void attention_backward_cuda(const AttentionBackward& a, Stream& s) {
  check(a.head_dim <= kMaxHeadDim, Fault::kInput, "attention_backward on CUDA: head_dim is ",
        a.head_dim, ", at most ", kMaxHeadDim);
  const int64_t group = a.heads / a.kv_heads;
  const auto rows = row_tiles(a.sequences, a.sequence_count, group);
  const auto keys = key_blocks(a.sequences, a.sequence_count, group);
  const auto kv_heads = static_cast<unsigned>(a.kv_heads);
  const AttentionBackwardJob job{
      .args = a,
      .stream = s,
      .rows = upload(rows, s),
      .keys = upload(keys, s),
      .row_grid = dim3(static_cast<unsigned>(rows.size()), kv_heads),
      .key_grid = dim3(static_cast<unsigned>(keys.size()), kv_heads),
      .heads = {static_cast<int>(group), static_cast<int>(a.head_dim), a.scale}};
  for_float_type(a.q.dtype, [&]<class T>() { run_delta<T>(job); });
  if (a.q.dtype == DType::kF32 || a.head_dim > 128) {
    attention_backward_fma(job);
  } else {
    a.head_dim <= 64 ? run_mma<64>(job) : run_mma<128>(job);
  }
}

LLMTOOL_KERNEL(attention_backward, Device::kCuda, Isa::kNone, attention_backward_cuda);

}  // namespace
}  // namespace llmtool::cuda
