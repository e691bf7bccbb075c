#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/pieces.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

template <class T>
void add_elements(const Add& a, Stream& s) {
  for_pieces(a.y.rows, a.y.cols, s, [&](int64_t row, int64_t begin, int64_t count) {
    T* y = a.y.row<T>(row) + begin;
    const T *p = a.a.row<T>(row) + begin, *q = a.b.row<T>(row) + begin;
    for_vectors(count, [&](int64_t c, int64_t lanes) LLMTOOL_INLINE_LAMBDA {
      store_lanes(y + c, load_lanes(p + c, lanes) + load_lanes(q + c, lanes), lanes);
    });
  });
}

void add_cpu(const Add& a, Stream& s) {
  a.y.dtype == DType::kBF16 ? add_elements<bf16>(a, s) : add_elements<float>(a, s);
}

template <class To, class From>
void convert_elements(const Convert& a, Stream& s) {
  for_pieces(a.y.rows, a.y.cols, s, [&](int64_t row, int64_t begin, int64_t count) {
    To* y = a.y.row<To>(row) + begin;
    const From* x = a.x.row<From>(row) + begin;
    for_vectors(count, [&](int64_t c, int64_t lanes) LLMTOOL_INLINE_LAMBDA {
      store_lanes(y + c, load_lanes(x + c, lanes), lanes);
    });
  });
}

template <class To>
void convert_to(const Convert& a, Stream& s) {
  a.x.dtype == DType::kBF16 ? convert_elements<To, bf16>(a, s) : convert_elements<To, float>(a, s);
}

void convert_cpu(const Convert& a, Stream& s) {
  a.y.dtype == DType::kBF16 ? convert_to<bf16>(a, s) : convert_to<float>(a, s);
}

LLMTOOL_KERNEL(add, Device::kCpu, Isa::LLMTOOL_ISA, add_cpu);
LLMTOOL_KERNEL(convert, Device::kCpu, Isa::LLMTOOL_ISA, convert_cpu);

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
