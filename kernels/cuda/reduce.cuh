// Reductions over the threads of a warp or a block, in one fixed order: pairs of lanes at distance
// 16, 8, 4, 2, 1, then the warps one after another.
#pragma once

#include <cuda_runtime.h>

#include "kernels/cuda/launch.cuh"

namespace llmtool::cuda {

inline constexpr unsigned kAllLanes = 0xffffffffu;
inline constexpr int kMaxWarps = 32;

// What can be reduced has these two. merge must be commutative to the bit: the two lanes of a pair
// call it with their arguments swapped.
template <class T>
struct Sum {
  T value;
  __device__ Sum from_lane(int distance) const {
    return {__shfl_xor_sync(kAllLanes, value, distance)};
  }
  __device__ static Sum merge(const Sum& a, const Sum& b) { return {a.value + b.value}; }
};

// Every lane gets the result. All lanes must call it.
template <class T>
__device__ T warp_reduce(T v) {
#pragma unroll
  for (int distance = kWarp / 2; distance > 0; distance /= 2) {
    v = T::merge(v, v.from_lane(distance));
  }
  return v;
}

// Every thread of a one-dimensional block of whole warps gets the result. All of them must call it.
template <class T>
__device__ T block_reduce(T v) {
  __shared__ T of_warp[kMaxWarps];
  v = warp_reduce(v);
  const int warps = static_cast<int>(blockDim.x) / kWarp;
  if (warps == 1) return v;
  __syncthreads();  // of_warp may still be read by an earlier call
  if (threadIdx.x % kWarp == 0) of_warp[threadIdx.x / kWarp] = v;
  __syncthreads();
  T total = of_warp[0];
  for (int w = 1; w < warps; ++w) total = T::merge(total, of_warp[w]);
  return total;
}

__device__ inline float warp_sum(float v) {
  return warp_reduce(Sum<float>{v}).value;
}
__device__ inline float block_sum(float v) {
  return block_reduce(Sum<float>{v}).value;
}

}  // namespace llmtool::cuda
