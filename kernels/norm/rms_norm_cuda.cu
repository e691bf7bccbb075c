#include "kernels/cuda/lanes.cuh"
#include "kernels/cuda/reduce.cuh"
#include "kernels/norm/rms_norm.h"

namespace llmtool::cuda {
namespace {

// Writes sum where there is a residual, and adds the squares of what was written.
template <class T>
__device__ float squares_of_row(const Lanes<T>& sum, const Lanes<T>& x, const Lanes<T>& residual,
                                int64_t r) {
  float squares = 0;
  for (int64_t c = int64_t{threadIdx.x} * kLanes; c < x.cols; c += int64_t{blockDim.x} * kLanes) {
    float v[kLanes];
    x.load(v, r, c);
    if (!residual.empty()) {
      float other[kLanes];
      residual.load(other, r, c);
#pragma unroll
      for (int i = 0; i < kLanes; ++i) {
        v[i] = to_float(Lanes<T>::template rounded<T>(v[i] + other[i]));
      }
      sum.store(v, r, c);
    }
#pragma unroll
    for (int i = 0; i < kLanes; ++i) squares += v[i] * v[i];
  }
  return squares;
}

// One block a row; each thread reads back only what it has written itself.
template <class T>
__global__ void rms_norm_kernel(Lanes<T> y, Lanes<T> sum, Lanes<float> rstd, Lanes<T> x,
                                Lanes<T> residual, Lanes<T> w, float eps) {
  const int64_t r = blockIdx.x;
  const float mean = block_sum(squares_of_row(sum, x, residual, r)) / static_cast<float>(x.cols);
  const float scale = 1.0f / sqrtf(mean + eps);
  if (!rstd.empty() && threadIdx.x == 0) *rstd.row(r) = scale;
  const Lanes<T>& s = residual.empty() ? x : sum;
  for (int64_t c = int64_t{threadIdx.x} * kLanes; c < x.cols; c += int64_t{blockDim.x} * kLanes) {
    float v[kLanes], weight[kLanes];
    s.load(v, r, c);
    w.load(weight, 0, c);
#pragma unroll
    for (int i = 0; i < kLanes; ++i) v[i] = v[i] * scale * weight[i];
    y.store(v, r, c);
  }
}

void rms_norm_cuda(const RmsNorm& a, Stream& s) {
  const dim3 grid(static_cast<unsigned>(a.x.rows));
  const dim3 block(static_cast<unsigned>(threads_of_row(a.x.cols, kLanes)));
  for_float_type(a.x.dtype, [&]<class T>() {
    launch(rms_norm.name, rms_norm_kernel<T>, grid, block, 0, s, Lanes<T>(a.y), Lanes<T>(a.sum),
           Lanes<float>(a.rstd), Lanes<T>(a.x), Lanes<T>(a.residual), Lanes<T>(a.w), a.eps);
  });
}

// The gradient of the weights: rows in chunks of kRowsOfChunk, in order; then the chunks, in order.
constexpr int64_t kRowsOfChunk = 64;
constexpr int kWeightThreads = 128;

// partial[chunk][c] = the sum of dy * n over the rows of the chunk.
template <class T>
__global__ void rms_norm_weight_chunks_kernel(float* partial, Lanes<T> dy, Lanes<T> s,
                                              Lanes<float> rstd, int64_t rows) {
  const int64_t c = int64_t{blockIdx.x} * kWeightThreads + threadIdx.x;
  if (c >= dy.cols) return;
  const int64_t begin = blockIdx.y * kRowsOfChunk;
  const int64_t end = begin + kRowsOfChunk < rows ? begin + kRowsOfChunk : rows;
  float sum = 0;
#pragma unroll 4
  for (int64_t r = begin; r < end; ++r) {
    sum += to_float(dy.row(r)[c]) * (to_float(s.row(r)[c]) * *rstd.row(r));
  }
  partial[blockIdx.y * dy.cols + c] = sum;
}

__global__ void rms_norm_weight_total_kernel(float* dw, const float* partial, int64_t chunks,
                                             int64_t cols) {
  const int64_t c = int64_t{blockIdx.x} * kWeightThreads + threadIdx.x;
  if (c >= cols) return;
  float sum = dw[c];
#pragma unroll 8
  for (int64_t k = 0; k < chunks; ++k) sum += partial[k * cols + c];
  dw[c] = sum;
}

template <class T>
__global__ void rms_norm_input_gradient_kernel(Lanes<T> dx, Lanes<T> dy, Lanes<T> dsum, Lanes<T> s,
                                               Lanes<T> w, Lanes<float> rstd) {
  const int64_t r = blockIdx.x;
  const float scale = *rstd.row(r);
  const int64_t step = int64_t{blockDim.x} * kLanes;
  float g[kLanes], n[kLanes], v[kLanes];
  float dot = 0;
  for (int64_t c = int64_t{threadIdx.x} * kLanes; c < dy.cols; c += step) {
    dy.load(g, r, c);
    w.load(v, 0, c);
    s.load(n, r, c);
#pragma unroll
    for (int i = 0; i < kLanes; ++i) dot += g[i] * v[i] * (n[i] * scale);
  }
  const float mean = block_sum(dot) / static_cast<float>(dy.cols);
  for (int64_t c = int64_t{threadIdx.x} * kLanes; c < dy.cols; c += step) {
    dy.load(g, r, c);
    w.load(v, 0, c);
    s.load(n, r, c);
#pragma unroll
    for (int i = 0; i < kLanes; ++i) g[i] = scale * (g[i] * v[i] - n[i] * scale * mean);
    if (!dsum.empty()) {
      dsum.load(v, r, c);
#pragma unroll
      for (int i = 0; i < kLanes; ++i) g[i] += v[i];
    }
    dx.store(g, r, c);
  }
}

// dw first: dx may overwrite dy.
template <class T>
void rms_norm_backward_of(const RmsNormBackward& a, Stream& s) {
  const int64_t rows = a.dy.rows, cols = a.dy.cols, chunks = ceil_div(rows, kRowsOfChunk);
  check(chunks <= kMaxGridY, Fault::kInput, "rms_norm_backward on CUDA: ", rows, " rows, at most ",
        kMaxGridY * kRowsOfChunk);
  auto* partial = static_cast<float*>(
      context_of(s).workspace(chunks * cols * static_cast<int64_t>(sizeof(float))));
  const auto column_blocks = static_cast<unsigned>(ceil_div(cols, kWeightThreads));
  launch(rms_norm_backward.name, rms_norm_weight_chunks_kernel<T>,
         dim3(column_blocks, static_cast<unsigned>(chunks)), dim3(kWeightThreads), 0, s, partial,
         Lanes<T>(a.dy), Lanes<T>(a.s), Lanes<float>(a.rstd), rows);
  launch(rms_norm_backward.name, rms_norm_weight_total_kernel, dim3(column_blocks),
         dim3(kWeightThreads), 0, s, static_cast<float*>(a.dw.data),
         static_cast<const float*>(partial), chunks, cols);
  launch(rms_norm_backward.name, rms_norm_input_gradient_kernel<T>,
         dim3(static_cast<unsigned>(rows)), dim3(threads_of_row(cols, kLanes)), 0, s,
         Lanes<T>(a.dx), Lanes<T>(a.dy), Lanes<T>(a.dsum), Lanes<T>(a.s), Lanes<T>(a.w),
         Lanes<float>(a.rstd));
}

void rms_norm_backward_cuda(const RmsNormBackward& a, Stream& s) {
  if (a.dy.rows == 0) return;
  for_float_type(a.dy.dtype, [&]<class T>() { rms_norm_backward_of<T>(a, s); });
}

LLMTOOL_KERNEL(rms_norm, Device::kCuda, Isa::kNone, rms_norm_cuda);
LLMTOOL_KERNEL(rms_norm_backward, Device::kCuda, Isa::kNone, rms_norm_backward_cuda);

}  // namespace
}  // namespace llmtool::cuda
