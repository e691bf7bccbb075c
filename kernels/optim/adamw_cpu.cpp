#include "kernels/elementwise/pieces.h"
#include "kernels/optim/adamw.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

// base^exponent; repeated squaring in f64: the same bits with every libm.
double power(double base, int64_t exponent) {
  double result = 1;
  for (; exponent > 0; exponent >>= 1, base *= base) {
    if ((exponent & 1) != 0) result *= base;
  }
  return result;
}

template <class T>
void adamw_elements(const AdamW& a, Stream& s) {
  const Vec b1 = set1(a.beta1), c1 = set1(1.0f - a.beta1);
  const Vec b2 = set1(a.beta2), c2 = set1(1.0f - a.beta2);
  const Vec unbias1 = set1(static_cast<float>(1 / (1 - power(a.beta1, a.step))));
  const Vec unbias2 = set1(static_cast<float>(1 / (1 - power(a.beta2, a.step))));
  const Vec lr = set1(-a.lr), decay = set1(a.weight_decay), eps = set1(a.eps);
  const Vec grad_scale = set1(a.grad_scale);
  for_pieces(a.g.rows, a.g.cols, s, [&](int64_t row, int64_t begin, int64_t count) {
    T* w = a.w.row<T>(row) + begin;
    float *master = a.master.row<float>(row) + begin, *m = a.m.row<float>(row) + begin;
    float* v = a.v.row<float>(row) + begin;
    float* g = a.g.row<float>(row) + begin;
    for_vectors(count, [&](int64_t i, int64_t lanes) LLMTOOL_INLINE_LAMBDA {
      const Vec grad = load_lanes(g + i, lanes) * grad_scale;
      const Vec m1 = fma(b1, load_lanes(m + i, lanes), c1 * grad);
      const Vec v1 = fma(b2, load_lanes(v + i, lanes), c2 * grad * grad);
      const Vec step = m1 * unbias1 / (sqrt(v1 * unbias2) + eps);
      const Vec old = load_lanes(master + i, lanes);
      const Vec now = fma(lr, fma(decay, old, step), old);
      store_lanes(m + i, m1, lanes);
      store_lanes(v + i, v1, lanes);
      store_lanes(master + i, now, lanes);
      store_lanes(w + i, now, lanes);
      store_lanes(g + i, zero(), lanes);
    });
  });
}

void adamw_cpu(const AdamW& a, Stream& s) {
  a.w.dtype == DType::kBF16 ? adamw_elements<bf16>(a, s) : adamw_elements<float>(a, s);
}

LLMTOOL_KERNEL(adamw, Device::kCpu, Isa::LLMTOOL_ISA, adamw_cpu);

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
