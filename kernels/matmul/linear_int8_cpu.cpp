#include "kernels/elementwise/pieces.h"
#include "kernels/matmul/group_engine.h"
#include "kernels/matmul/int8_product.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

// Widened to int16 as they are packed: two k an instruction (VPMADDWD), without saturation.
struct DotOfInt16 {
  using Element = int16_t;
  using Offset = NoOffset;
  static constexpr int64_t kGroup = 2, kMr = llmtool::LLMTOOL_ISA_NAMESPACE::kMr;
  static constexpr DType kDType = DType::kI16;
  static constexpr bool kLiesAsPacked = false;

  LLMTOOL_INLINE static Vec dot(Vec a, Vec b, Vec acc) { return add_pairs(a, b, acc); }
  LLMTOOL_INLINE static Vec left(Vec groups) { return groups; }
  LLMTOOL_INLINE static void load_block(Vec (&r)[kLanes], const View& v, bool, int64_t at,
                                        int64_t k, int64_t depth) {
    load_int8_block(r, v, /*as_rows=*/false, at, k, depth, widened_int8);
  }
  LLMTOOL_INLINE static Vec load_across(const View&, int64_t, int64_t, int64_t) {
    return no_int8_across();
  }
};

template <class T>
void quantize_row(const QuantizeRows& a, int64_t m) {
  const T* x = a.x.row<T>(m);
  Vec top = zero();
  for_vectors(a.x.cols, [&](int64_t i, int64_t lanes) LLMTOOL_INLINE_LAMBDA {
    top = max(top, abs(load_lanes(x + i, lanes)));
  });
  // What is too small to scale by 127 / largest counts as zero.
  constexpr float kLeast = 1e-35f;
  const float found = reduce_max(top), largest = found > kLeast ? found : 0.0f;
  a.scale.row<float>(m)[0] = largest / 127.0f;
  const Vec per_unit = set1(largest > 0 ? 127.0f / largest : 0.0f);
  for_vectors(a.x.cols, [&](int64_t i, int64_t lanes) LLMTOOL_INLINE_LAMBDA {
    store_int8(a.q.row<int8_t>(m) + i, load_lanes(x + i, lanes) * per_unit, lanes);
  });
}

void quantize_rows_cpu(const QuantizeRows& a, Stream& s) {
  s.parallel_for(a.x.rows, row_grain(a.x.cols), [&](int64_t m, int64_t end, int) {
    for (; m < end; ++m) {
      a.x.dtype == DType::kBF16 ? quantize_row<bf16>(a, m) : quantize_row<float>(a, m);
    }
  });
}

LLMTOOL_INT8_KERNELS(GroupEngine<DotOfInt16>);
LLMTOOL_KERNEL(quantize_rows, Device::kCpu, Isa::LLMTOOL_ISA, quantize_rows_cpu);

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
