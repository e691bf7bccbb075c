#include "kernels/cuda/lanes.cuh"
#include "kernels/cuda/reduce.cuh"
#include "kernels/optim/squared_norm.h"

namespace llmtool::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int64_t kPerBlock = int64_t{kThreads} * kLanes * 8;

// partial[b] = the sum over elements [b * kPerBlock, (b + 1) * kPerBlock).
__global__ void squared_norm_blocks_kernel(double* partial, Lanes<float> x) {
  const int64_t begin = int64_t{blockIdx.x} * kPerBlock;
  double sum = 0;
  for (int64_t i = 0; i < kPerBlock; i += kThreads * kLanes) {
    const int64_t c = begin + i + int64_t{threadIdx.x} * kLanes;
    if (c >= x.cols) break;
    float v[kLanes];
    x.load(v, 0, c);
#pragma unroll
    for (int j = 0; j < kLanes; ++j) sum += static_cast<double>(v[j]) * static_cast<double>(v[j]);
  }
  sum = block_reduce(Sum<double>{sum}).value;
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

// One block: thread t takes partials t, t + kThreads, ...
__global__ void squared_norm_total_kernel(double* out, const double* partial, int64_t count) {
  double sum = 0;
  for (int64_t i = threadIdx.x; i < count; i += kThreads) sum += partial[i];
  sum = block_reduce(Sum<double>{sum}).value;
  if (threadIdx.x == 0) *out += sum;
}

void squared_norm_cuda(const SquaredNorm& a, Stream& s) {
  const int64_t blocks = ceil_div(a.x.cols, kPerBlock);
  if (blocks == 0) return;
  auto* partial =
      static_cast<double*>(context_of(s).workspace(blocks * static_cast<int64_t>(sizeof(double))));
  launch(squared_norm.name, squared_norm_blocks_kernel, dim3(static_cast<unsigned>(blocks)),
         dim3(kThreads), 0, s, partial, Lanes<float>(a.x));
  launch(squared_norm.name, squared_norm_total_kernel, dim3(1), dim3(kThreads), 0, s,
         static_cast<double*>(a.out.data), static_cast<const double*>(partial), blocks);
}

LLMTOOL_KERNEL(squared_norm, Device::kCuda, Isa::kNone, squared_norm_cuda);

}  // namespace
}  // namespace llmtool::cuda
