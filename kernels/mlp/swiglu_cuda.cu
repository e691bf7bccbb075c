#include "kernels/cuda/lanes.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/mlp/swiglu.h"

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

void swiglu_cuda(const Swiglu& a, Stream& s) {
  for_float_type(a.y.dtype, [&]<class T>() {
    launch_each<kLanes>(swiglu.name, a.y.rows, a.y.cols, s,
                        SwigluLanes<T>{Lanes<T>(a.y), Lanes<T>(a.gate), Lanes<T>(a.up)});
  });
}

// Everything is read before anything is written: outputs may be inputs.
template <class T>
struct SwigluBackwardLanes {
  Lanes<T> dgate, dup, y, dy, gate, up;
  __device__ void operator()(int64_t r, int64_t c) const {
    float z[kLanes], u[kLanes], d[kLanes], product[kLanes];
    gate.load(z, r, c);
    up.load(u, r, c);
    dy.load(d, r, c);
#pragma unroll
    for (int i = 0; i < kLanes; ++i) {
      const float sig = sigmoid(z[i]), silu = z[i] * sig;
      product[i] = silu * u[i];
      // silu' = sig + z sig (1 - sig)
      z[i] = d[i] * u[i] * (sig + silu * (1.0f - sig));
      u[i] = d[i] * silu;
    }
    dgate.store(z, r, c);
    dup.store(u, r, c);
    if (!y.empty()) y.store(product, r, c);
  }
};

void swiglu_backward_cuda(const SwigluBackward& a, Stream& s) {
  for_float_type(a.gate.dtype, [&]<class T>() {
    launch_each<kLanes>(swiglu_backward.name, a.gate.rows, a.gate.cols, s,
                        SwigluBackwardLanes<T>{Lanes<T>(a.dgate), Lanes<T>(a.dup), Lanes<T>(a.y),
                                               Lanes<T>(a.dy), Lanes<T>(a.gate), Lanes<T>(a.up)});
  });
}

LLMTOOL_KERNEL(swiglu, Device::kCuda, Isa::kNone, swiglu_cuda);
LLMTOOL_KERNEL(swiglu_backward, Device::kCuda, Isa::kNone, swiglu_backward_cuda);

}  // namespace
}  // namespace llmtool::cuda
