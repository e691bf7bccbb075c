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

// The gradient of the weights adds up rows in order, a chain that only columns share out. A block
// has kColumns of them: its first warp adds up a tile of kTileRows products while the others make
// the next one.
constexpr int kColumns = 16;
constexpr int kTileRows = 128;
constexpr int kMakers = 256;
using ProductTile = float[kTileRows][kColumns];

// Zeros beyond the rows and beyond the columns: they leave a sum as it is.
template <class T>
__device__ void make_products(ProductTile& tile, const Lanes<T>& dy, const Lanes<T>& s,
                              const Lanes<float>& rstd, int64_t begin, int64_t rows, int maker) {
#pragma unroll
  for (int e = maker; e < kTileRows * kColumns; e += kMakers) {
    const int64_t r = begin + e / kColumns, c = int64_t{blockIdx.x} * kColumns + e % kColumns;
    const bool there = r < rows && c < dy.cols;
    tile[e / kColumns][e % kColumns] =
        there ? to_float(dy.row(r)[c]) * (to_float(s.row(r)[c]) * *rstd.row(r)) : 0.0f;
  }
}

template <class T>
__global__ void rms_norm_weight_gradient_kernel(float* dw, Lanes<T> dy, Lanes<T> s,
                                                Lanes<float> rstd, int64_t rows) {
  __shared__ ProductTile tiles[2];
  const int maker = static_cast<int>(threadIdx.x) - kWarp;
  const int64_t c = int64_t{blockIdx.x} * kColumns + threadIdx.x;
  const bool adds = threadIdx.x < kColumns && c < dy.cols;
  float sum = adds ? dw[c] : 0.0f;
  if (maker >= 0) make_products(tiles[0], dy, s, rstd, 0, rows, maker);
  for (int64_t begin = 0, t = 0; begin < rows; begin += kTileRows, ++t) {
    __syncthreads();
    if (maker >= 0) {
      make_products(tiles[(t + 1) % 2], dy, s, rstd, begin + kTileRows, rows, maker);
    } else if (adds) {
#pragma unroll 16
      for (int i = 0; i < kTileRows; ++i) sum += tiles[t % 2][i][threadIdx.x];
    }
  }
  if (adds) dw[c] = sum;
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
  const int64_t rows = a.dy.rows, cols = a.dy.cols;
  launch(rms_norm_backward.name, rms_norm_weight_gradient_kernel<T>,
         dim3(static_cast<unsigned>(ceil_div(cols, kColumns))), dim3(kWarp + kMakers), 0, s,
         static_cast<float*>(a.dw.data), Lanes<T>(a.dy), Lanes<T>(a.s), Lanes<float>(a.rstd), rows);
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
