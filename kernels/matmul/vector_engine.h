// What engines of gemm() are, and the one on the vector units, in f32.
#pragma once

#include "kernels/matmul/product.h"
#include "kernels/matmul/register_tile.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

// What multiplies panels: the vector units, in f32. An engine has
//   Element        of packed operands
//   kMr, kNr       rows of a panel of A, columns of a panel of B
//   kDepth         k is padded with zeros to a multiple of it
//   kKeptOfA       bytes of A that pass by a panel of B before the next: part of L2
//   pack_a, pack_b a panel from index `begin`, k in [k_begin, k_begin + count)
//   pack_a_across  several panels of a transposed A, `stride` elements apart: its rows lie across
//                  k, a panel is a fraction of a cache line there; so all of them go along each row
//   multiply       `rows` rows of a packed panel of A times a panel of B
//   multiply_in_place  the same for rows of A where they lie, `stride` elements apart; k is a
//                  multiple of kDepth
//   reads_in_place whether it may and should
//   kRowsInPlace   in a multiple of how many rows
//   kFinishes      whether a whole tile can go to finish(r, v0, v1), a row at a time, from where it
//                  was computed: finish() and finish_in_place(), like multiply()
//   kHoldsA        whether it multiplies faster than L2 gives both operands, and has what
//                  held_a.h needs
//   begin, end     around the multiplications of a thread
struct VectorEngine {
  using Element = float;
  static constexpr int64_t kMr = llmtool::LLMTOOL_ISA_NAMESPACE::kMr;
  static constexpr int64_t kNr = llmtool::LLMTOOL_ISA_NAMESPACE::kNr;
  static constexpr int64_t kDepth = 1, kRowsInPlace = 1;
  static constexpr int64_t kKeptOfA = int64_t{512} << 10;
  static constexpr bool kFinishes = true, kHoldsA = false;

  static void pack_a(float* to, const Operand& a, int64_t begin, int64_t k_begin, int64_t count) {
    pack_panel(to, kMr, a.view, !a.transposed, begin, a.pitch, k_begin, count);
  }
  static void pack_b(float* to, const Operand& b, int64_t begin, int64_t k_begin, int64_t count) {
    pack_panel(to, kNr, b.view, b.transposed, begin, b.pitch, k_begin, count);
  }
  static void pack_a_across(float* to, int64_t stride, int64_t panels, const Operand& a,
                            int64_t begin, int64_t k_begin, int64_t count) {
    for (int64_t k = 0; k < count; ++k) {
      for (int64_t p = 0; p < panels; ++p) {
        pack_a(to + p * stride + k * kMr, a, begin + p * kMr, k_begin + k, 1);
      }
    }
  }
  static void multiply(int64_t rows, const Sums& sums, const float* a, const float* b,
                       int64_t count) {
    dot_rows<MultiplyAdd>(rows, sums, PackedRows<kMr>{a}, b, count);
  }
  static bool reads_in_place(const View& a) {
    return a.dtype == DType::kF32 && !rows_share_cache_sets(a);
  }
  static void multiply_in_place(int64_t rows, const Sums& sums, const float* a, int64_t stride,
                                const float* b, int64_t count) {
    const RowsInPlace at(a, stride * static_cast<int64_t>(sizeof(float)));
    dot_rows<MultiplyAdd>(rows, sums, at, b, count);
  }
  template <class Finish>
  static void finish(const float* a, const float* b, int64_t count, const Finish& f) {
    finished_tile<MultiplyAdd>(PackedRows<kMr>{a}, b, count, f);
  }
  template <class Finish>
  static void finish_in_place(const float* a, int64_t stride, const float* b, int64_t count,
                              const Finish& f) {
    finished_tile<MultiplyAdd>(RowsInPlace(a, stride * static_cast<int64_t>(sizeof(float))), b,
                               count, f);
  }
  static void begin() {}
  static void end() {}
};

// How many of the first panels of A are read where they lie.
template <class Engine, class Target>
int64_t panels_in_place(const Gemm<Target>& g, int64_t m_begin, int64_t m_end, int64_t panels) {
  const View& a = g.a.view;
  if (g.a.transposed || g.inner() % Engine::kDepth != 0 || !Engine::reads_in_place(a)) return 0;
  return (m_end - m_begin) % Engine::kRowsInPlace == 0 ? panels : panels - 1;
}

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
