#include "kernels/elementwise/pieces.h"
#include "kernels/rope/rope.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

// One head: the halves a and b, turned by the angles whose cosines and sines are given.
template <class T>
LLMTOOL_INLINE void rotate(T* a, T* b, const float* cos, const float* sin, Vec sign, int64_t half) {
  for_vectors(half, [&](int64_t i, int64_t lanes) LLMTOOL_INLINE_LAMBDA {
    const Vec c = load_lanes(cos + i, lanes), s = load_lanes(sin + i, lanes) * sign;
    const Vec x = load_lanes(a + i, lanes), y = load_lanes(b + i, lanes);
    store_lanes(a + i, x * c - y * s, lanes);
    store_lanes(b + i, y * c + x * s, lanes);
  });
}

template <class T>
void rope_rows(const Rope& a, int64_t begin, int64_t end) {
  const int64_t half = a.head_dim / 2;
  const Vec sign = set1(a.inverse ? -1.0f : 1.0f);
  for (int64_t n = begin; n < end; ++n) {
    const float* cos = a.table.row<float>(a.positions[n]);
    T* x = a.x.row<T>(n);
    for (int64_t h = 0; h < a.x.cols; h += a.head_dim) {
      rotate(x + h, x + h + half, cos, cos + half, sign, half);
    }
  }
}

void rope_cpu(const Rope& a, Stream& s) {
  s.parallel_for(a.x.rows, row_grain(a.x.cols), [&](int64_t begin, int64_t end, int) {
    a.x.dtype == DType::kBF16 ? rope_rows<bf16>(a, begin, end) : rope_rows<float>(a, begin, end);
  });
}

LLMTOOL_KERNEL(rope, Device::kCpu, Isa::LLMTOOL_ISA, rope_cpu);

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
