#include <cmath>

#include "kernels/cuda/lanes.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/optim/adamw.h"

namespace llmtool::cuda {
namespace {

struct AdamWStep {
  float lr, beta1, beta2, eps, weight_decay, grad_scale;
  float m_correction, v_correction;  // 1 / (1 - beta^t)
};

// Everything is read before anything is written: w may be master.
template <class T>
struct AdamWLanes {
  Lanes<T> w;
  Lanes<float> master, m, v, g;
  AdamWStep step;

  __device__ void operator()(int64_t r, int64_t c) const {
    float p[kLanes], first[kLanes], second[kLanes], grad[kLanes];
    master.load(p, r, c);
    m.load(first, r, c);
    v.load(second, r, c);
    g.load(grad, r, c);
#pragma unroll
    for (int i = 0; i < kLanes; ++i) {
      const float scaled = grad[i] * step.grad_scale;
      first[i] = step.beta1 * first[i] + (1.0f - step.beta1) * scaled;
      second[i] = step.beta2 * second[i] + (1.0f - step.beta2) * scaled * scaled;
      const float update =
          first[i] * step.m_correction / (sqrtf(second[i] * step.v_correction) + step.eps);
      p[i] -= step.lr * (update + step.weight_decay * p[i]);
      grad[i] = 0;
    }
    m.store(first, r, c);
    v.store(second, r, c);
    g.store(grad, r, c);
    master.store(p, r, c);
    if (static_cast<const void*>(w.data) != master.data) w.store(p, r, c);
  }
};

void adamw_cuda(const AdamW& a, Stream& s) {
  const double t = static_cast<double>(a.step);
  const AdamWStep step{.lr = a.lr,
                       .beta1 = a.beta1,
                       .beta2 = a.beta2,
                       .eps = a.eps,
                       .weight_decay = a.weight_decay,
                       .grad_scale = a.grad_scale,
                       .m_correction = static_cast<float>(1 / (1 - std::pow(a.beta1, t))),
                       .v_correction = static_cast<float>(1 / (1 - std::pow(a.beta2, t)))};
  for_float_type(a.w.dtype, [&]<class T>() {
    launch_each<kLanes>(adamw.name, a.w.rows, a.w.cols, s,
                        AdamWLanes<T>{Lanes<T>(a.w), Lanes<float>(a.master), Lanes<float>(a.m),
                                      Lanes<float>(a.v), Lanes<float>(a.g), step});
  });
}

LLMTOOL_KERNEL(adamw, Device::kCuda, Isa::kNone, adamw_cuda);

}  // namespace
}  // namespace llmtool::cuda
