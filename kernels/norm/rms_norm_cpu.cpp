#include "kernels/elementwise/pieces.h"
#include "kernels/norm/rms_norm.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

// Sum of term(offset, lanes) over a row of n: vector i goes to chain i mod 4, the chains are added
// as a tree.
template <class F>
LLMTOOL_INLINE float sum_of(int64_t n, F&& term) {
  Vec sum[4] = {zero(), zero(), zero(), zero()};
  int64_t c = 0;
  for (; c + 4 * kLanes <= n; c += 4 * kLanes) {
    for (int64_t i = 0; i < 4; ++i) sum[i] = term(c + i * kLanes, kLanes, sum[i]);
  }
  for (int64_t i = 0; c < n; ++i, c += kLanes) {
    sum[i] = term(c, n - c < kLanes ? n - c : kLanes, sum[i]);
  }
  return reduce_add((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

// s = x + residual, rounded to T as it is stored.
template <class T>
LLMTOOL_INLINE void add_residual(T* s, const T* x, const T* residual, int64_t C) {
  for_vectors(C, [&](int64_t c, int64_t lanes) LLMTOOL_INLINE_LAMBDA {
    store_lanes(s + c, load_lanes(x + c, lanes) + load_lanes(residual + c, lanes), lanes);
  });
}

template <class T>
void norm_rows(const RmsNorm& a, int64_t begin, int64_t end) {
  const int64_t C = a.x.cols;
  const T* w = a.w.row<T>(0);
  for (int64_t n = begin; n < end; ++n) {
    const T* s = a.x.row<T>(n);
    if (!a.residual.empty()) {
      add_residual(a.sum.row<T>(n), s, a.residual.row<T>(n), C);
      s = a.sum.row<T>(n);
    }
    const float squares = sum_of(C, [&](int64_t c, int64_t lanes, Vec sum) LLMTOOL_INLINE_LAMBDA {
      const Vec v = load_lanes(s + c, lanes);
      return fma(v, v, sum);
    });
    const float rstd = 1 / __builtin_sqrtf(squares / static_cast<float>(C) + a.eps);
    if (!a.rstd.empty()) *a.rstd.row<float>(n) = rstd;
    T* y = a.y.row<T>(n);
    for_vectors(C, [&](int64_t c, int64_t lanes) LLMTOOL_INLINE_LAMBDA {
      const Vec v = load_lanes(s + c, lanes) * set1(rstd) * load_lanes(w + c, lanes);
      store_lanes(y + c, v, lanes);
    });
  }
}

void rms_norm_cpu(const RmsNorm& a, Stream& s) {
  s.parallel_for(a.x.rows, row_grain(a.x.cols), [&](int64_t begin, int64_t end, int) {
    a.x.dtype == DType::kBF16 ? norm_rows<bf16>(a, begin, end) : norm_rows<float>(a, begin, end);
  });
}

// Rows [begin, end) added to the columns [c_begin, c_end) of dw, in order.
template <class T>
void add_to_dw(const RmsNormBackward& a, int64_t begin, int64_t end, int64_t c_begin,
               int64_t c_end) {
  float* dw = a.dw.row<float>(0) + c_begin;
  for (int64_t n = begin; n < end; ++n) {
    const Vec rstd = set1(*a.rstd.row<float>(n));
    const T *dy = a.dy.row<T>(n) + c_begin, *s = a.s.row<T>(n) + c_begin;
    for_vectors(c_end - c_begin, [&](int64_t c, int64_t lanes) LLMTOOL_INLINE_LAMBDA {
      const Vec norm = load_lanes(s + c, lanes) * rstd;
      store_lanes(dw + c, fma(load_lanes(dy + c, lanes), norm, load_lanes(dw + c, lanes)), lanes);
    });
  }
}

template <class T>
void dx_of_row(const RmsNormBackward& a, int64_t n) {
  const int64_t C = a.dy.cols;
  const T *dy = a.dy.row<T>(n), *s = a.s.row<T>(n), *w = a.w.row<T>(0);
  const T* dsum = a.dsum.empty() ? nullptr : a.dsum.row<T>(n);
  T* dx = a.dx.row<T>(n);
  const float r = *a.rstd.row<float>(n);
  const float dot = sum_of(C, [&](int64_t c, int64_t lanes, Vec sum) LLMTOOL_INLINE_LAMBDA {
    const Vec g = load_lanes(dy + c, lanes) * load_lanes(w + c, lanes);
    return fma(g, load_lanes(s + c, lanes) * set1(r), sum);
  });
  const Vec rstd = set1(r), mean = set1(dot / static_cast<float>(C));
  for_vectors(C, [&](int64_t c, int64_t lanes) LLMTOOL_INLINE_LAMBDA {
    const Vec g = load_lanes(dy + c, lanes) * load_lanes(w + c, lanes);
    const Vec norm = load_lanes(s + c, lanes) * rstd;
    const Vec past = dsum != nullptr ? load_lanes(dsum + c, lanes) : zero();
    store_lanes(dx + c, fma(g - norm * mean, rstd, past), lanes);
  });
}

// Rows come in blocks that stay in cache: first their part of dw, by columns, then their dx, which
// may take the place of dy.
template <class T>
void norm_backward(const RmsNormBackward& a, Stream& s) {
  constexpr int64_t kBlockBytes = int64_t{1} << 20;
  const int64_t C = a.dy.cols;
  const int64_t block = kBlockBytes / (2 * C * static_cast<int64_t>(sizeof(T)) + 1) + 1;
  for (int64_t begin = 0; begin < a.dy.rows; begin += block) {
    const int64_t rows = a.dy.rows - begin < block ? a.dy.rows - begin : block;
    s.parallel_for(C, column_grain(C, s), [&](int64_t c_begin, int64_t c_end, int) {
      add_to_dw<T>(a, begin, begin + rows, c_begin, c_end);
    });
    s.parallel_for(rows, row_grain(C), [&](int64_t n, int64_t end, int) {
      for (; n < end; ++n) dx_of_row<T>(a, begin + n);
    });
  }
}

void rms_norm_backward_cpu(const RmsNormBackward& a, Stream& s) {
  a.dy.dtype == DType::kBF16 ? norm_backward<bf16>(a, s) : norm_backward<float>(a, s);
}

LLMTOOL_KERNEL(rms_norm, Device::kCpu, Isa::LLMTOOL_ISA, rms_norm_cpu);
LLMTOOL_KERNEL(rms_norm_backward, Device::kCpu, Isa::LLMTOOL_ISA, rms_norm_backward_cpu);

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
