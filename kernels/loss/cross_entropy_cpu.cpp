#include "kernels/loss/cross_entropy.h"
#include "lib/base/simd.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

constexpr int64_t kChains = 4;

// f(chain, offset, lanes) over a row of n: vector i goes to chain i mod kChains.
template <class F>
LLMTOOL_INLINE void for_chains(int64_t n, F&& f) {
  int64_t c = 0;
  for (; c + kChains * kLanes <= n; c += kChains * kLanes) {
    for (int64_t i = 0; i < kChains; ++i) f(i, c + i * kLanes, kLanes);
  }
  for (int64_t i = 0; c < n; ++i, c += kLanes) f(i, c, n - c < kLanes ? n - c : kLanes);
}

// Lanes past the end are -infinity: no maximum, and exp makes 0 of them.
LLMTOOL_INLINE Vec load_logits(const float* p, int64_t lanes) {
  if (lanes == kLanes) return load(p);
  return first_lanes(load_n(p, lanes), lanes, set1(-__builtin_inff()));
}

LLMTOOL_INLINE float row_max(const float* x, int64_t V) {
  Vec top[kChains];
  for (Vec& t : top) t = set1(-__builtin_inff());
  for_chains(V, [&](int64_t i, int64_t c, int64_t lanes)
                    LLMTOOL_INLINE_LAMBDA { top[i] = max(top[i], load_logits(x + c, lanes)); });
  return reduce_max(max(max(top[0], top[1]), max(top[2], top[3])));
}

// Sum of exp(x - top); with `keep` the terms go there, which may be x itself.
LLMTOOL_INLINE float sum_exp(const float* x, int64_t V, Vec top, float* keep) {
  Vec sum[kChains];
  for (Vec& s : sum) s = zero();
  for_chains(V, [&](int64_t i, int64_t c, int64_t lanes) LLMTOOL_INLINE_LAMBDA {
    const Vec e = exp(load_logits(x + c, lanes) - top);
    sum[i] += e;
    if (keep != nullptr) store_lanes(keep + c, e, lanes);
  });
  return reduce_add((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

// d = (e / sum - onehot) * scale, where e are the terms of the sum: kept in d for f32.
template <class T>
LLMTOOL_INLINE void gradient_of_row(T* d, const float* x, int64_t V, Vec top, float sum,
                                    int32_t target, float scale) {
  const float factor = scale / sum;
  const float at_target =
      sizeof(T) == 4 ? to_float(d[target]) : reduce_max(exp(set1(x[target]) - top));
  for_vectors(V, [&](int64_t c, int64_t lanes) LLMTOOL_INLINE_LAMBDA {
    Vec e;
    if constexpr (sizeof(T) == 4) {
      e = load_lanes(d + c, lanes);
    } else {
      e = exp(load_logits(x + c, lanes) - top);
    }
    store_lanes(d + c, e * set1(factor), lanes);
  });
  store_n(d + target, set1((at_target / sum - 1.0f) * scale), 1);
}

template <class T>
LLMTOOL_INLINE void clear_row(T* d, int64_t V) {
  for_vectors(V, [&](int64_t c, int64_t lanes)
                     LLMTOOL_INLINE_LAMBDA { store_lanes(d + c, zero(), lanes); });
}

// T: the dtype of the gradient.
template <class T>
void loss_of_row(const CrossEntropy& a, int64_t n) {
  const int64_t V = a.logits.cols;
  const int32_t target = a.targets[n];
  const float* x = a.logits.row<float>(n);
  float* loss = a.loss.row<float>(n);
  T* d = a.dlogits.empty() ? nullptr : a.dlogits.row<T>(n);
  if (target == kIgnoredTarget) {
    *loss = 0;
    if (d != nullptr) clear_row(d, V);
    return;
  }
  const float top = row_max(x, V), gap = top - x[target];
  float* keep = nullptr;
  if constexpr (sizeof(T) == 4) keep = d;
  const float sum = sum_exp(x, V, set1(top), keep);
  *loss = static_cast<float>(__builtin_log(static_cast<double>(sum))) + gap;
  if (d != nullptr) gradient_of_row(d, x, V, set1(top), sum, target, a.scale);
}

void cross_entropy_cpu(const CrossEntropy& a, Stream& s) {
  s.parallel_for(a.logits.rows, 1, [&](int64_t n, int64_t end, int) {
    for (; n < end; ++n) {
      a.dlogits.dtype == DType::kBF16 ? loss_of_row<bf16>(a, n) : loss_of_row<float>(a, n);
    }
  });
}

LLMTOOL_KERNEL(cross_entropy, Device::kCpu, Isa::LLMTOOL_ISA, cross_entropy_cpu);

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
