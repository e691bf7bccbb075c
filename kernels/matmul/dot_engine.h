// bf16 on the dot products of AVX512_BF16: f32 sums, two k an instruction (VDPBF16PS, Intel SDM
// vol. 2; it takes denormals for zero).
#pragma once

#include "kernels/matmul/bf16_pairs.h"
#include "kernels/matmul/group_engine.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

struct DotOfBf16 {
  using Element = bf16;
  using Offset = NoOffset;
  static constexpr int64_t kGroup = 2, kMr = llmtool::LLMTOOL_ISA_NAMESPACE::kMr;
  static constexpr DType kDType = DType::kBF16;
  static constexpr bool kLiesAsPacked = true;

  LLMTOOL_INLINE static Vec dot(Vec a, Vec b, Vec acc) {
    return {
        _mm512_dpbf16_ps(acc.v, reinterpret_cast<__m512bh>(a.v), reinterpret_cast<__m512bh>(b.v))};
  }
  LLMTOOL_INLINE static Vec left(Vec groups) { return groups; }
  LLMTOOL_INLINE static void load_block(Vec (&r)[kLanes], const View& v, bool along_k, int64_t at,
                                        int64_t k, int64_t depth) {
    llmtool::LLMTOOL_ISA_NAMESPACE::load_block(r, v, along_k, /*as_rows=*/false, at, k, depth);
  }
  LLMTOOL_INLINE static Vec load_across(const View& v, int64_t at, int64_t k, int64_t depth) {
    const int64_t there = v.cols - at;
    const bf16 *low = v.row<bf16>(k) + at, *high = low + v.stride;
    if (there >= kLanes && depth > 1) return interleave_whole(low, high);
    return interleave(low, depth > 1 ? high : nullptr, there);
  }
};

using DotEngine = GroupEngine<DotOfBf16>;

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
