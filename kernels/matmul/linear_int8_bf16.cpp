#include "kernels/matmul/group_engine.h"
#include "kernels/matmul/int8_product.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

// Four k an instruction (VPDPBUSD of AVX512_VNNI), which wants its left operand unsigned: A is
// packed 128 higher, and 128 times the sum of each column of B taken off.
struct DotOfInt8 {
  using Element = int8_t;
  static constexpr int64_t kGroup = 4, kMr = 12;
  static constexpr DType kDType = DType::kI8;
  static constexpr bool kLiesAsPacked = false;

  LLMTOOL_INLINE static __m512i bits(Vec x) { return _mm512_castps_si512(x.v); }
  // In assembly: of the intrinsic g++ 12 makes copies for which it has no registers.
  LLMTOOL_INLINE static Vec dot(Vec a, Vec b, Vec acc) {
    __asm__("vpdpbusd %2, %1, %0" : "+v"(acc.v) : "v"(a.v), "v"(b.v));
    return acc;
  }
  LLMTOOL_INLINE static __m512i high_bits() { return _mm512_set1_epi8(static_cast<char>(0x80)); }
  LLMTOOL_INLINE static Vec left(Vec groups) {
    return {_mm512_castsi512_ps(_mm512_xor_si512(bits(groups), high_bits()))};
  }
  LLMTOOL_INLINE static void load_block(Vec (&r)[kLanes], const View& v, bool, int64_t at,
                                        int64_t k, int64_t depth) {
    load_int8_block(r, v, /*as_rows=*/false, at, k, depth, int8_lanes);
  }
  LLMTOOL_INLINE static Vec load_across(const View&, int64_t, int64_t, int64_t) {
    return no_int8_across();
  }

  struct Offset {
    Vec sum[kNrVectors] = {zero(), zero()};

    LLMTOOL_INLINE void see(Vec b0, Vec b1) {
      const Vec all = {_mm512_castsi512_ps(high_bits())};
      sum[0] = dot(all, b0, sum[0]);
      sum[1] = dot(all, b1, sum[1]);
    }
    LLMTOOL_INLINE Vec taken_off(Vec x, int j) const {
      return {_mm512_castsi512_ps(_mm512_sub_epi32(bits(x), bits(sum[j])))};
    }
  };
};

LLMTOOL_INT8_KERNELS(GroupEngine<DotOfInt8>);

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
