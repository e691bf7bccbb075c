// Launching a kernel, and the two shapes of launch that most operations share.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cuda_runtime.h>

#include "kernels/cuda/context.cuh"
#include "lib/base/dtype.h"
#include "lib/base/error.h"

namespace llmtool::cuda {

inline constexpr int kWarp = 32;

__host__ __device__ constexpr int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

// The shared memory whose size is given at launch, aligned to 16 bytes.
template <class T>
__device__ T* dynamic_shared() {
  extern __shared__ uint4 llmtool_dynamic_shared[];
  return reinterpret_cast<T*>(llmtool_dynamic_shared);
}

// Queues kernel(args...). name appears in the error if it cannot be started. An empty grid is no
// work.
template <class... P, class... A>
void launch(const char* name, void (*kernel)(P...), dim3 grid, dim3 block, size_t shared_bytes,
            const Stream& stream, const A&... args) {
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
  constexpr size_t kWithoutAsking = 48 << 10;
  if (shared_bytes > kWithoutAsking) {
    check_call(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                                    cudaFuncAttributeMaxDynamicSharedMemorySize,
                                    static_cast<int>(shared_bytes)),
               name);
  }
  kernel<<<grid, block, shared_bytes, queue_of(stream)>>>(args...);
  check_launch(name);
}

// f.operator()<float>() or f.operator()<bf16>().
template <class F>
void for_float_type(DType dtype, F&& f) {
  LLMTOOL_ASSERT(dtype == DType::kF32 || dtype == DType::kBF16);
  dtype == DType::kBF16 ? f.template operator()<bf16>() : f.template operator()<float>();
}

inline constexpr int64_t kMaxGridY = 65535;

// f(row, first column) for every row and every kStep-th column.
template <int kStep, class F>
__global__ void each_kernel(int64_t rows, int64_t cols, F f) {
  const int64_t c = (int64_t{blockIdx.x} * blockDim.x + threadIdx.x) * kStep;
  if (c >= cols) return;
  for (int64_t r = blockIdx.y; r < rows; r += gridDim.y) f(r, c);
}

template <int kStep, class F>
void launch_each(const char* name, int64_t rows, int64_t cols, const Stream& stream, const F& f) {
  if (rows == 0 || cols == 0) return;
  const int64_t steps = ceil_div(cols, kStep);
  const int64_t threads = std::min<int64_t>(ceil_div(steps, kWarp) * kWarp, 256);
  const dim3 grid(static_cast<unsigned>(ceil_div(steps, threads)),
                  static_cast<unsigned>(std::min(rows, kMaxGridY)));
  launch(name, each_kernel<kStep, F>, grid, dim3(static_cast<unsigned>(threads)), 0, stream, rows,
         cols, f);
}

// One block of threads a row: as many as the columns keep busy, a number that rows do not change.
inline int threads_of_row(int64_t cols, int64_t step) {
  return static_cast<int>(
      std::clamp<int64_t>(ceil_div(ceil_div(cols, step), kWarp) * kWarp, kWarp, 512));
}

}  // namespace llmtool::cuda
