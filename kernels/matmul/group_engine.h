// The engines of gemm() on dot products: instructions that multiply groups of neighbouring k, 32
// bits together, and add them into 32-bit lanes. Packed, a panel is
//   A [k / kGroup][kMr][kGroup],   B [k / kGroup][kNr][kGroup].
// Dot is the instruction:
//   Element      of packed operands; kGroup of them are 32 bits; kDType its name
//   kLiesAsPacked  a group of A as it lies along k is what `left` makes of it
//   kMr          rows of a panel of A
//   dot          acc + the products of the groups of a (of A) and b (of B)
//   load_block   r[j] = group j of kLanes groups of k, for kLanes rows (along_k) or columns of the
//                view from index `at`; zeros past the end and for k past `depth`
//   load_across  the group at k of kLanes columns of a view whose rows lie across k; zeros as there
//   left         a vector of groups as A has them
//   Offset       what is taken off the sums of every row: of all groups of B that it sees
#pragma once

#include "kernels/matmul/gemm.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

template <class Dot>
struct GroupEngine {
  using Element = typename Dot::Element;
  static constexpr int64_t kMr = Dot::kMr;
  static constexpr int64_t kNr = llmtool::LLMTOOL_ISA_NAMESPACE::kNr;
  static constexpr int64_t kDepth = Dot::kGroup, kRowsInPlace = 1;
  static constexpr int64_t kKeptOfA = int64_t{512} << 10;
  static constexpr bool kFinishes = true, kHoldsA = false;
  static constexpr int64_t kBlockDepth = kLanes * Dot::kGroup;
  static_assert(sizeof(Element) * Dot::kGroup == sizeof(float));

  static void pack(Element* to, int64_t width, bool is_a, const View& v, bool along_k,
                   int64_t begin, int64_t pitch, int64_t k_begin, int64_t count) {
    auto* groups = reinterpret_cast<float*>(to);
    for (int64_t k = 0; k < count; k += kBlockDepth, groups += kLanes * width) {
      const int64_t depth = smaller(kBlockDepth, count - k);
      for (int64_t i = 0; i < width; i += kLanes) {
        Vec r[kLanes];
        Dot::load_block(r, v, along_k, begin + i / kLanes * pitch, k_begin + k, depth);
        const int64_t lanes = smaller(kLanes, width - i);
        for (int64_t j = 0; j < ceil_div(depth, Dot::kGroup); ++j) {
          store_lanes(groups + j * width + i, is_a ? Dot::left(r[j]) : r[j], lanes);
        }
      }
    }
  }
  static void pack_a(Element* to, const Operand& a, int64_t begin, int64_t k_begin, int64_t count) {
    pack(to, kMr, true, a.view, !a.transposed, begin, a.pitch, k_begin, count);
  }
  static void pack_b(Element* to, const Operand& b, int64_t begin, int64_t k_begin, int64_t count) {
    pack(to, kNr, false, b.view, b.transposed, begin, b.pitch, k_begin, count);
  }
  static void pack_a_across(Element* to, int64_t stride, int64_t panels, const Operand& a,
                            int64_t begin, int64_t k_begin, int64_t count) {
    for (int64_t k = 0; k < count; k += Dot::kGroup) {
      for (int64_t p = 0; p < panels; ++p) {
        const Vec groups = Dot::load_across(a.view, begin + p * kMr, k_begin + k, count - k);
        store_lanes(reinterpret_cast<float*>(to + p * stride + k * kMr), groups, kMr);
      }
    }
  }
  static void multiply(int64_t rows, const Sums& sums, const Element* a, const Element* b,
                       int64_t count) {
    const PackedRows<kMr> at{reinterpret_cast<const float*>(a)};
    dot_rows<Dot>(rows, sums, at, reinterpret_cast<const float*>(b), ceil_div(count, Dot::kGroup));
  }
  static bool reads_in_place(const View& a) {
    return Dot::kLiesAsPacked && a.dtype == Dot::kDType && !rows_share_cache_sets(a);
  }
  static void multiply_in_place(int64_t rows, const Sums& sums, const Element* a, int64_t stride,
                                const Element* b, int64_t count) {
    const RowsInPlace at(a, stride * static_cast<int64_t>(sizeof(Element)));
    dot_rows<Dot>(rows, sums, at, reinterpret_cast<const float*>(b), count / Dot::kGroup);
  }
  template <class Finish>
  static void finish(const Element* a, const Element* b, int64_t count, const Finish& f) {
    const PackedRows<kMr> at{reinterpret_cast<const float*>(a)};
    finished_tile<Dot>(at, reinterpret_cast<const float*>(b), ceil_div(count, Dot::kGroup), f);
  }
  template <class Finish>
  static void finish_in_place(const Element* a, int64_t stride, const Element* b, int64_t count,
                              const Finish& f) {
    const RowsInPlace at(a, stride * static_cast<int64_t>(sizeof(Element)));
    finished_tile<Dot>(at, reinterpret_cast<const float*>(b), count / Dot::kGroup, f);
  }
  static void begin() {}
  static void end() {}
};

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
