#include "kernels/elementwise/pieces.h"
#include "kernels/embedding/embedding.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

void embedding_cpu(const Embedding& a, Stream& s) {
  const auto bytes = static_cast<size_t>(a.w.cols * size_of(a.w.dtype));
  s.parallel_for(a.y.rows, row_grain(a.y.cols), [&](int64_t n, int64_t end, int) {
    for (; n < end; ++n) __builtin_memcpy(a.y.at(n, 0), a.w.at(a.ids[n], 0), bytes);
  });
}

// Each thread adds all rows to its own columns.
template <class T>
void add_rows(const EmbeddingBackward& a, Stream& s) {
  s.parallel_for(a.dw.cols, column_grain(a.dw.cols, s), [&](int64_t begin, int64_t end, int) {
    for (int64_t n = 0; n < a.dy.rows; ++n) {
      float* dw = a.dw.row<float>(a.ids[n]) + begin;
      const T* dy = a.dy.row<T>(n) + begin;
      for_vectors(end - begin, [&](int64_t c, int64_t lanes) LLMTOOL_INLINE_LAMBDA {
        store_lanes(dw + c, load_lanes(dw + c, lanes) + load_lanes(dy + c, lanes), lanes);
      });
    }
  });
}

void embedding_backward_cpu(const EmbeddingBackward& a, Stream& s) {
  a.dy.dtype == DType::kBF16 ? add_rows<bf16>(a, s) : add_rows<float>(a, s);
}

LLMTOOL_KERNEL(embedding, Device::kCpu, Isa::LLMTOOL_ISA, embedding_cpu);
LLMTOOL_KERNEL(embedding_backward, Device::kCpu, Isa::LLMTOOL_ISA, embedding_backward_cpu);

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
