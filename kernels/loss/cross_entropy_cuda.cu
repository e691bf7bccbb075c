#include <cmath>

#include "kernels/cuda/lanes.cuh"
#include "kernels/cuda/reduce.cuh"
#include "kernels/loss/cross_entropy.h"

namespace llmtool::cuda {
namespace {

constexpr int kThreads = 512;

// Running softmax: the largest value and the sum of exp(value - largest).
struct Softmax {
  float largest;
  float sum;

  __device__ Softmax from_lane(int distance) const {
    return {__shfl_xor_sync(kAllLanes, largest, distance),
            __shfl_xor_sync(kAllLanes, sum, distance)};
  }
  // exp(0) of equals is exactly 1: the sum of two does not depend on their order.
  __device__ static Softmax merge(const Softmax& a, const Softmax& b) {
    if (a.largest == b.largest) return {a.largest, a.sum + b.sum};
    if (a.largest > b.largest) return {a.largest, a.sum + b.sum * expf(b.largest - a.largest)};
    return {b.largest, b.sum + a.sum * expf(a.largest - b.largest)};
  }
};

// NaN stays: where the largest value is -infinity, exp(value) tells -infinity (0) from NaN.
__device__ Softmax softmax_of(const float (&v)[kLanes]) {
  float largest = v[0];
#pragma unroll
  for (int i = 1; i < kLanes; ++i) largest = fmaxf(largest, v[i]);
  const float base = largest == -INFINITY ? 0.0f : largest;
  float sum = 0;
#pragma unroll
  for (int i = 0; i < kLanes; ++i) sum += expf(v[i] - base);
  return {largest, sum};
}

__device__ Softmax softmax_of_row(const Lanes<float>& logits, int64_t r) {
  Softmax total{-INFINITY, 0.0f};
  for (int64_t c = int64_t{threadIdx.x} * kLanes; c < logits.cols;
       c += int64_t{kThreads} * kLanes) {
    float v[kLanes];
    logits.load(v, r, c, -INFINITY);
    total = Softmax::merge(total, softmax_of(v));
  }
  return block_reduce(total);
}

template <class T>
__device__ void gradient_of_row(const Lanes<T>& dlogits, const Lanes<float>& logits, int64_t r,
                                const Softmax& softmax, int target, float scale) {
  const float inverse = 1.0f / softmax.sum;
  for (int64_t c = int64_t{threadIdx.x} * kLanes; c < logits.cols;
       c += int64_t{kThreads} * kLanes) {
    float v[kLanes];
    logits.load(v, r, c);
#pragma unroll
    for (int i = 0; i < kLanes; ++i) {
      const float wanted = c + i == target ? 1.0f : 0.0f;
      v[i] = target == kIgnoredTarget ? 0.0f
                                      : (expf(v[i] - softmax.largest) * inverse - wanted) * scale;
    }
    dlogits.store(v, r, c);
  }
}

// One block a row. The logit of the target is read before the gradient may overwrite it.
// Differences of logits come first: the logarithm of the sum may be small beside the logits.
template <class T>
__global__ void cross_entropy_kernel(Lanes<float> loss, Lanes<float> logits, Lanes<T> dlogits,
                                     const int32_t* targets, float scale) {
  const int64_t r = blockIdx.x;
  const int target = targets[r];
  Softmax softmax{0.0f, 1.0f};
  if (target != kIgnoredTarget) softmax = softmax_of_row(logits, r);
  if (threadIdx.x == 0) {
    *loss.row(r) = target == kIgnoredTarget
                       ? 0.0f
                       : logf(softmax.sum) + (softmax.largest - logits.row(r)[target]);
  }
  if (dlogits.empty()) return;
  __syncthreads();
  gradient_of_row(dlogits, logits, r, softmax, target, scale);
}

void cross_entropy_cuda(const CrossEntropy& a, Stream& s) {
  const DType gradient = a.dlogits.empty() ? DType::kF32 : a.dlogits.dtype;
  for_float_type(gradient, [&]<class T>() {
    launch(cross_entropy.name, cross_entropy_kernel<T>, dim3(static_cast<unsigned>(a.logits.rows)),
           dim3(kThreads), 0, s, Lanes<float>(a.loss), Lanes<float>(a.logits), Lanes<T>(a.dlogits),
           a.targets, a.scale);
  });
}

LLMTOOL_KERNEL(cross_entropy, Device::kCuda, Isa::kNone, cross_entropy_cuda);

}  // namespace
}  // namespace llmtool::cuda
