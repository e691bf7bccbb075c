#include "kernels/elementwise/elementwise.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

constexpr int64_t kRowGrain = 16;

template <class T>
void add_rows(const Add& a, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r) {
    T* y = a.y.row<T>(r);
    const T *p = a.a.row<T>(r), *q = a.b.row<T>(r);
    for (int64_t c = 0; c < a.y.cols; ++c) {
      if constexpr (sizeof(T) == 2) {
        y[c] = to_bf16(to_float(p[c]) + to_float(q[c]));
      } else {
        y[c] = p[c] + q[c];
      }
    }
  }
}

void add_cpu(const Add& a, Stream& s) {
  s.parallel_for(a.y.rows, kRowGrain, [&a](int64_t begin, int64_t end, int) {
    a.y.dtype == DType::kBF16 ? add_rows<bf16>(a, begin, end) : add_rows<float>(a, begin, end);
  });
}

template <class To, class From>
void convert_row(To* y, const From* x, int64_t n) {
  for (int64_t c = 0; c < n; ++c) {
    if constexpr (sizeof(To) == 2) {
      y[c] = to_bf16(to_float(x[c]));
    } else {
      y[c] = to_float(x[c]);
    }
  }
}

void convert_cpu(const Convert& a, Stream& s) {
  s.parallel_for(a.y.rows, kRowGrain, [&a](int64_t begin, int64_t end, int) {
    const bool to16 = a.y.dtype == DType::kBF16, from16 = a.x.dtype == DType::kBF16;
    for (int64_t r = begin; r < end; ++r) {
      if (to16 && from16) convert_row(a.y.row<bf16>(r), a.x.row<bf16>(r), a.y.cols);
      if (to16 && !from16) convert_row(a.y.row<bf16>(r), a.x.row<float>(r), a.y.cols);
      if (!to16 && from16) convert_row(a.y.row<float>(r), a.x.row<bf16>(r), a.y.cols);
      if (!to16 && !from16) convert_row(a.y.row<float>(r), a.x.row<float>(r), a.y.cols);
    }
  });
}

LLMTOOL_KERNEL(add, Device::kCpu, Isa::LLMTOOL_ISA, add_cpu);
LLMTOOL_KERNEL(convert, Device::kCpu, Isa::LLMTOOL_ISA, convert_cpu);

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
