#include "kernels/cuda/lanes.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/matmul/linear.h"
#include "kernels/mlp/linear_swiglu.h"

namespace llmtool::cuda {
namespace {

__device__ float sigmoid(float z) {
  return 1.0f / (1.0f + expf(-z));
}

template <class T>
struct SwigluLanes {
  Lanes<T> y, gate, up;
  __device__ void operator()(int64_t r, int64_t c) const {
    float z[kLanes], u[kLanes];
    gate.load(z, r, c);
    up.load(u, r, c);
#pragma unroll
    for (int i = 0; i < kLanes; ++i) z[i] = z[i] * sigmoid(z[i]) * u[i];
    y.store(z, r, c);
  }
};

void linear_swiglu_cuda(const LinearSwiglu& a, Stream& s) {
  linear({.y = a.gate_up, .x = a.x, .w = a.w}, s);
  const int64_t F = a.y.cols;
  const View gate = a.gate_up.slice_cols(0, F), up = a.gate_up.slice_cols(F, F);
  for_float_type(a.y.dtype, [&]<class T>() {
    launch_each<kLanes>(linear_swiglu.name, a.y.rows, F, s,
                        SwigluLanes<T>{Lanes<T>(a.y), Lanes<T>(gate), Lanes<T>(up)});
  });
}

// y holds the gradient of y first. Everything is read before anything is written.
template <class T>
struct SwigluBackwardLanes {
  Lanes<T> gate, up, y;
  __device__ void operator()(int64_t r, int64_t c) const {
    float z[kLanes], u[kLanes], d[kLanes], product[kLanes];
    gate.load(z, r, c);
    up.load(u, r, c);
    y.load(d, r, c);
#pragma unroll
    for (int i = 0; i < kLanes; ++i) {
      const float sig = sigmoid(z[i]), silu = z[i] * sig;
      product[i] = silu * u[i];
      // silu' = sig + z sig (1 - sig)
      z[i] = d[i] * u[i] * (sig + silu * (1.0f - sig));
      u[i] = d[i] * silu;
    }
    gate.store(z, r, c);
    up.store(u, r, c);
    y.store(product, r, c);
  }
};

void linear_swiglu_backward_cuda(const LinearSwigluBackward& a, Stream& s) {
  linear_input_gradient({.dx = a.y, .dy = a.dout, .w = a.w}, s);
  const int64_t F = a.y.cols;
  const View gate = a.gate_up.slice_cols(0, F), up = a.gate_up.slice_cols(F, F);
  for_float_type(a.y.dtype, [&]<class T>() {
    launch_each<kLanes>(linear_swiglu_backward.name, a.y.rows, F, s,
                        SwigluBackwardLanes<T>{Lanes<T>(gate), Lanes<T>(up), Lanes<T>(a.y)});
  });
}

LLMTOOL_KERNEL(linear_swiglu, Device::kCuda, Isa::kNone, linear_swiglu_cuda);
LLMTOOL_KERNEL(linear_swiglu_backward, Device::kCuda, Isa::kNone, linear_swiglu_backward_cuda);

}  // namespace
}  // namespace llmtool::cuda
