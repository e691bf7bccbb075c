#include "kernels/elementwise/pieces.h"
#include "kernels/mlp/swiglu.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

struct Sigmoid {
  Vec value, complement;  // of z, and 1 - that without cancellation
};

LLMTOOL_INLINE Sigmoid sigmoid(Vec z) {
  const Vec t = exp(min(zero() - z, z));  // of -|z|: never overflows
  const Vec r = set1(1.0f) / (set1(1.0f) + t);
  return {select_less(z, zero(), t * r, r), select_less(z, zero(), r, t * r)};
}

template <class T>
void swiglu_elements(const Swiglu& a, Stream& s) {
  for_pieces(a.y.rows, a.y.cols, s, [&](int64_t row, int64_t begin, int64_t count) {
    T* y = a.y.row<T>(row) + begin;
    const T *gate = a.gate.row<T>(row) + begin, *up = a.up.row<T>(row) + begin;
    for_vectors(count, [&](int64_t c, int64_t lanes) LLMTOOL_INLINE_LAMBDA {
      const Vec z = load_lanes(gate + c, lanes);
      store_lanes(y + c, z * sigmoid(z).value * load_lanes(up + c, lanes), lanes);
    });
  });
}

void swiglu_cpu(const Swiglu& a, Stream& s) {
  a.y.dtype == DType::kBF16 ? swiglu_elements<bf16>(a, s) : swiglu_elements<float>(a, s);
}

template <class T>
void swiglu_backward_elements(const SwigluBackward& a, Stream& s) {
  for_pieces(a.dy.rows, a.dy.cols, s, [&](int64_t row, int64_t begin, int64_t count) {
    T *dgate = a.dgate.row<T>(row) + begin, *dup = a.dup.row<T>(row) + begin;
    T* y = a.y.empty() ? nullptr : a.y.row<T>(row) + begin;
    const T *dy = a.dy.row<T>(row) + begin, *gate = a.gate.row<T>(row) + begin;
    const T* up = a.up.row<T>(row) + begin;
    for_vectors(count, [&](int64_t c, int64_t lanes) LLMTOOL_INLINE_LAMBDA {
      const Vec z = load_lanes(gate + c, lanes), u = load_lanes(up + c, lanes);
      const Vec d = load_lanes(dy + c, lanes);
      const Sigmoid g = sigmoid(z);
      const Vec silu = z * g.value, slope = g.value * fma(z, g.complement, set1(1.0f));
      if (y != nullptr) store_lanes(y + c, silu * u, lanes);
      store_lanes(dgate + c, d * u * slope, lanes);
      store_lanes(dup + c, d * silu, lanes);
    });
  });
}

void swiglu_backward_cpu(const SwigluBackward& a, Stream& s) {
  a.dy.dtype == DType::kBF16 ? swiglu_backward_elements<bf16>(a, s)
                             : swiglu_backward_elements<float>(a, s);
}

LLMTOOL_KERNEL(swiglu, Device::kCpu, Isa::LLMTOOL_ISA, swiglu_cpu);
LLMTOOL_KERNEL(swiglu_backward, Device::kCpu, Isa::LLMTOOL_ISA, swiglu_backward_cpu);

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
