// The matrix product of the CPU levels: C(m, n) = sum over k of A(m, k) * B(k, n), summed in f32.
//
// Every element of C is one chain of additions over k = 0, 1, 2, ... (fused multiply-adds, dot
// products of two k, tile products of 32 k: what an engine's instruction takes; int8 adds up in
// exact integers). The order of summation depends on nothing else, so blocking, threads and the
// number of rows do not change a bit. Operands are packed on the way: A by runs of rows, B panel by
// panel of columns into the cache of the thread that uses it. Weights that serve a few rows at a
// time can be packed before (Operand::packed); many rows need no such copy
// (tests/bench/matmul_spike.md).
#pragma once

#include "kernels/matmul/register_tile.h"
#include "lib/base/op.h"
#include "lib/base/simd.h"
#include "lib/base/stream.h"
#include "lib/base/view.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

LLMTOOL_INLINE void prefetch_rows(const View& v, int64_t m, int64_t n, int64_t row_count,
                                  int64_t column_count) {
  const int64_t bytes = column_count * size_of(v.dtype);
  for (int64_t r = 0; r < row_count; ++r) {
    const char* row = static_cast<const char*>(v.at(m + r, n));
    for (int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(row + i, 1);
  }
}

// What becomes of a product. A target has
//   rows(), columns()  of the product
//   kColumns           how many of its columns a panel of B makes
//   accumulate         the chains start from what load() gives instead of 0
//   load, store        the tile [kMr][kNr] of the rows from m, the columns from n; store may write
//                      to it
//   prefetch           asks for the memory of such a tile, which store() is about to write
// This one: c = a b [+ bias] [+ residual], or c += a b.
struct Product {
  View c;              // (M, N) f32 or bf16
  View residual = {};  // (M, N) like c or empty
  View bias = {};      // (1, N) f32 or bf16, or empty
  bool accumulate = false;

  static constexpr int64_t kColumns = kNr;
  int64_t rows() const { return c.rows; }
  int64_t columns() const { return c.cols; }

  void prefetch(int64_t m, int64_t n, int64_t row_count, int64_t column_count) const {
    prefetch_rows(c, m, n, row_count, column_count);
  }
  template <class T>
  void load_as(float* tile, int64_t m, int64_t n, int64_t row_count, int64_t column_count) const {
    for (int64_t r = 0; r < row_count; ++r) {
      const T* from = c.row<T>(m + r) + n;
      for_vectors(column_count, [&](int64_t i, int64_t lanes) LLMTOOL_INLINE_LAMBDA {
        llmtool::LLMTOOL_ISA_NAMESPACE::store(tile + r * kNr + i, load_lanes(from + i, lanes));
      });
    }
  }
  template <class T>
  void store_as(const float* tile, int64_t m, int64_t n, int64_t row_count,
                int64_t column_count) const {
    for (int64_t r = 0; r < row_count; ++r) {
      T* to = c.row<T>(m + r) + n;
      const T* add = residual.empty() ? nullptr : residual.row<T>(m + r) + n;
      for_vectors(column_count, [&](int64_t i, int64_t lanes) LLMTOOL_INLINE_LAMBDA {
        Vec v = llmtool::LLMTOOL_ISA_NAMESPACE::load(tile + r * kNr + i);
        if (!bias.empty()) v = v + load_bias(n + i, lanes);
        if (add != nullptr) v = v + load_lanes(add + i, lanes);
        store_lanes(to + i, v, lanes);
      });
    }
  }
  LLMTOOL_INLINE Vec load_bias(int64_t n, int64_t lanes) const {
    return bias.dtype == DType::kBF16 ? load_lanes(bias.row<bf16>(0) + n, lanes)
                                      : load_lanes(bias.row<float>(0) + n, lanes);
  }
  void load(float* tile, int64_t m, int64_t n, int64_t row_count, int64_t column_count) const {
    c.dtype == DType::kBF16 ? load_as<bf16>(tile, m, n, row_count, column_count)
                            : load_as<float>(tile, m, n, row_count, column_count);
  }
  void store(const float* tile, int64_t m, int64_t n, int64_t row_count,
             int64_t column_count) const {
    c.dtype == DType::kBF16 ? store_as<bf16>(tile, m, n, row_count, column_count)
                            : store_as<float>(tile, m, n, row_count, column_count);
  }
};

// What multiplies packed panels: the vector units, in f32. An engine has
//   Element        of packed operands
//   kMr, kNr       rows of a panel of A, columns of a panel of B
//   kDepth         k is padded with zeros to a multiple of it
//   pack_a, pack_b a panel from index `begin`, k in [k_begin, k_begin + count)
//   pack_a_across  several panels of a transposed A, `stride` elements apart: its rows lie across
//                  k, a panel is a fraction of a cache line there; so all of them go along each row
//   multiply       tile[kMr][kNr] += `rows` rows of a panel of A times a panel of B
//   begin, end     around the multiplications of a thread
struct VectorEngine {
  using Element = float;
  static constexpr int64_t kMr = llmtool::LLMTOOL_ISA_NAMESPACE::kMr;
  static constexpr int64_t kNr = llmtool::LLMTOOL_ISA_NAMESPACE::kNr;
  static constexpr int64_t kDepth = 1;

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
  static void multiply(int64_t rows, float* tile, const float* a, const float* b, int64_t count) {
    dot_rows<MultiplyAdd>(rows, tile, a, b, count);
  }
  static void begin() {}
  static void end() {}
};

template <class Target>
struct Gemm {
  Operand a, b;
  Target target;

  int64_t inner() const { return b.transposed ? b.view.cols : b.view.rows; }
};

// Rows [m_begin, m_end) of the product against all of B, k in [k_begin, k_end) at a time.
template <class Engine>
struct GemmPlan {
  using Element = typename Engine::Element;
  static constexpr int64_t kTile = Engine::kMr * Engine::kNr;

  int64_t m_begin, m_end;
  int64_t k_begin, k_end, k_padded;
  int64_t panels, n_panels;
  int64_t m_pieces, panels_per_piece;  // tasks: n_panels x m_pieces
  int64_t k_block;                     // of B that is packed at once, a multiple of kDepth
  Element* packed_a;                   // [panel][k_padded][kMr]
  float* sums;                         // [n_panel][panel][kMr][kNr] between runs of k, or null
};

// One panel of columns, the rows of one piece. work: B, then the tiles of the piece.
template <class Engine, class Target>
void multiply_piece(const Gemm<Target>& g, const GemmPlan<Engine>& plan, int64_t task, char* work) {
  constexpr int64_t kTile = GemmPlan<Engine>::kTile;
  const int64_t n_panel = task / plan.m_pieces, n = n_panel * Target::kColumns;
  const int64_t columns = smaller(Target::kColumns, g.target.columns() - n);
  const int64_t panel_begin = task % plan.m_pieces * plan.panels_per_piece;
  const int64_t panel_end = smaller(plan.panels, panel_begin + plan.panels_per_piece);
  auto* packed_b = reinterpret_cast<typename Engine::Element*>(work);  // [k_block][kNr]
  float* tiles = plan.sums == nullptr
                     ? reinterpret_cast<float*>(packed_b + plan.k_block * Engine::kNr)
                     : plan.sums + (n_panel * plan.panels + panel_begin) * kTile;
  const int64_t inner = g.inner();
  const bool in_one_go = plan.k_block >= inner;  // one tile, which stays in L1
  for (int64_t k = plan.k_begin; k < plan.k_end || k == 0; k += plan.k_block) {
    const int64_t count = smaller(plan.k_block, plan.k_end - k);
    const typename Engine::Element* panel = packed_b;
    if (g.b.packed != nullptr) {
      const int64_t before = n_panel * ceil_div(inner, Engine::kDepth) * Engine::kDepth + k;
      panel = static_cast<const typename Engine::Element*>(g.b.packed) + before * Engine::kNr;
    } else {
      Engine::pack_b(packed_b, g.b, n, k, count);
    }
    for (int64_t p = panel_begin; p < panel_end; ++p) {
      float* tile = in_one_go ? tiles : tiles + (p - panel_begin) * kTile;
      const int64_t m = plan.m_begin + p * Engine::kMr;
      const int64_t rows = smaller(Engine::kMr, plan.m_end - m);
      if (p + 1 < panel_end && (k + count >= inner || k == 0)) {
        const int64_t next = m + Engine::kMr;
        g.target.prefetch(next, n, smaller(Engine::kMr, plan.m_end - next), columns);
      }
      if (k == 0) {
        for (int64_t i = 0; i < kTile; i += kLanes) store(tile + i, zero());
        if (g.target.accumulate) g.target.load(tile, m, n, rows, columns);
      }
      const int64_t at = (p * plan.k_padded + k - plan.k_begin) * Engine::kMr;
      Engine::multiply(rows, tile, plan.packed_a + at, panel, count);
      if (k + count >= inner) g.target.store(tile, m, n, rows, columns);
    }
  }
}

template <class Engine, class Target>
GemmPlan<Engine> plan_gemm(const Gemm<Target>& g, int64_t m_begin, int64_t m_end, int64_t k_step,
                           int threads) {
  GemmPlan<Engine> plan{};
  plan.m_begin = m_begin;
  plan.m_end = m_end;
  plan.k_padded = ceil_div(smaller(k_step, g.inner()), Engine::kDepth) * Engine::kDepth;
  plan.panels = ceil_div(m_end - m_begin, Engine::kMr);
  plan.n_panels = ceil_div(g.target.columns(), Target::kColumns);
  // Enough tasks for the threads to share evenly, as long as packing B stays cheap beside them.
  constexpr int64_t kTasksPerThread = 6, kPanelsPerTask = 4;
  plan.m_pieces = ceil_div(kTasksPerThread * threads, plan.n_panels);
  plan.m_pieces = smaller(plan.m_pieces, ceil_div(plan.panels, kPanelsPerTask));
  plan.panels_per_piece = ceil_div(plan.panels, plan.m_pieces);
  plan.m_pieces = ceil_div(plan.panels, plan.panels_per_piece);
  // Few rows: B passes once and should go no further than L1. Many: the panel stays in L2.
  constexpr int64_t kFewRows = 128;
  constexpr int64_t kManyRows =
      (int64_t{128} << 10) / Engine::kNr / static_cast<int64_t>(sizeof(typename Engine::Element));
  plan.k_block = smaller(plan.k_padded, plan.panels_per_piece <= 2 ? kFewRows : kManyRows);
  if (g.b.packed != nullptr) plan.k_block = plan.k_padded;
  if (plan.k_block < Engine::kDepth) plan.k_block = Engine::kDepth;
  return plan;
}

// Packs the rows of the plan of A for its run of k.
template <class Engine, class Target>
void pack_rows_of_a(const Gemm<Target>& g, const GemmPlan<Engine>& plan, Stream& s) {
  constexpr int64_t kPanels = 8;
  const int64_t inner = plan.k_end - plan.k_begin, panel = plan.k_padded * Engine::kMr;
  s.parallel_for(plan.panels, kPanels, [&](int64_t begin, int64_t end, int) {
    const int64_t m = plan.m_begin + begin * Engine::kMr;
    typename Engine::Element* to = plan.packed_a + begin * panel;
    if (g.a.transposed) {
      Engine::pack_a_across(to, panel, end - begin, g.a, m, plan.k_begin, inner);
      return;
    }
    for (int64_t p = 0; p < end - begin; ++p) {
      Engine::pack_a(to + p * panel, g.a, m + p * Engine::kMr, plan.k_begin, inner);
    }
  });
}

template <class Engine, class Target>
void multiply_rows_of_c(const Gemm<Target>& g, int64_t m_begin, int64_t m_end, int64_t k_step,
                        Stream& s) {
  using Plan = GemmPlan<Engine>;
  Plan plan = plan_gemm<Engine>(g, m_begin, m_end, k_step, s.threads());
  constexpr auto kElement = static_cast<int64_t>(sizeof(typename Plan::Element));
  constexpr auto kFloat = static_cast<int64_t>(sizeof(float));
  const int64_t inner = g.inner();
  const int64_t packed = ceil_div(plan.panels * plan.k_padded * Engine::kMr * kElement, 64) * 64;
  const int64_t kept = inner > k_step ? plan.n_panels * plan.panels * Plan::kTile * kFloat : 0;
  char* shared = static_cast<char*>(s.scratch().shared(static_cast<size_t>(packed + kept)));
  plan.packed_a = reinterpret_cast<typename Plan::Element*>(shared);
  plan.sums = kept == 0 ? nullptr : reinterpret_cast<float*>(shared + packed);
  const int64_t work = plan.k_block * Engine::kNr * kElement +
                       (kept == 0 ? plan.panels_per_piece * Plan::kTile * kFloat : 0);
  for (int64_t k = 0; k < inner || k == 0; k += k_step) {
    plan.k_begin = k;
    plan.k_end = smaller(inner, k + k_step);
    pack_rows_of_a<Engine>(g, plan, s);
    s.parallel_for(plan.n_panels * plan.m_pieces, 1, [&](int64_t begin, int64_t end, int thread) {
      char* mine = static_cast<char*>(s.scratch().of_thread(thread, static_cast<size_t>(work)));
      Engine::begin();
      for (int64_t t = begin; t < end; ++t) multiply_piece<Engine>(g, plan, t, mine);
      Engine::end();
    });
  }
}

// Runs of k, and of rows, as long as what is packed of A stays in the caches while the panels of B
// pass by.
template <class Engine, class Target>
void gemm(const Gemm<Target>& g, Stream& s) {
  constexpr int64_t kRunOfK = 4096, kLeastRows = 256;
  constexpr int64_t kPackedElements =
      (int64_t{4} << 20) / static_cast<int64_t>(sizeof(typename Engine::Element));
  const int64_t inner = g.inner(), run = smaller(kRunOfK, inner > 0 ? inner : 1);
  int64_t step = kPackedElements / run;
  if (step < kLeastRows) step = kLeastRows;
  step = ceil_div(step, Engine::kMr) * Engine::kMr;
  for (int64_t m = 0; m < g.target.rows(); m += step) {
    multiply_rows_of_c<Engine>(g, m, smaller(g.target.rows(), m + step), kRunOfK, s);
  }
}

// Packs all of B, for Operand::packed.
template <class Engine>
void pack_all_of_b(typename Engine::Element* to, const Operand& b, int64_t panel_columns,
                   int64_t panels, Stream& s) {
  const int64_t inner = b.transposed ? b.view.cols : b.view.rows;
  const int64_t panel = ceil_div(inner, Engine::kDepth) * Engine::kDepth * Engine::kNr;
  s.parallel_for(panels, 1, [&](int64_t p, int64_t end, int) {
    for (; p < end; ++p) Engine::pack_b(to + p * panel, b, p * panel_columns, 0, inner);
  });
}

// What an engine of bf16 cannot take, f32, goes to the vector units.
template <class Engine, class Args>
bool passed_down(const Op<Args>& op, const Args& args, DType dtype, Stream& s) {
  if (sizeof(typename Engine::Element) == sizeof(float) || dtype == DType::kBF16) return false;
  Stream below = s;
  below.isa = Isa::kAvx512;
  op(args, below);
  return true;
}

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
