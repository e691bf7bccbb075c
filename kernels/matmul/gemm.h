// The matrix product of the CPU levels: C(m, n) = sum over k of A(m, k) * B(k, n), summed in f32.
//
// Every element of C is one chain of additions over k = 0, 1, 2, ... (fused multiply-adds, dot
// products of two k, tile products of 32 k: what an engine's instruction takes; int8 adds up in
// exact integers). The order of summation depends on nothing else, so blocking, threads, packing
// and the number of rows do not change a bit.
//
// A is read where it lies if its rows run along k in the engine's type, else it is packed first. B
// is weights that were packed before (Operand::packed), or is packed first, or, where it serves a
// few rows only or is too large to keep, panel by panel on the way into the cache of the thread
// that uses it.
#pragma once

#include "kernels/matmul/held_a.h"
#include "kernels/matmul/vector_engine.h"
#include "lib/base/op.h"
#include "lib/base/simd.h"
#include "lib/base/stream.h"
#include "lib/base/view.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

// Rows [m_begin, m_end) of the product against all of B, k in [k_begin, k_end) at a time.
template <class Engine>
struct GemmPlan {
  using Element = typename Engine::Element;
  static constexpr int64_t kTile = Engine::kMr * Engine::kNr;

  int64_t m_begin, m_end;
  int64_t k_begin, k_end, k_padded;
  int64_t panels, n_panels;
  int64_t in_place;                    // the first panels of A, which are read where they lie
  int64_t m_pieces, panels_per_piece;  // tasks: m_pieces x n_panels
  int64_t k_block;                     // of B that is packed on the way, a multiple of kDepth
  bool packs_b;                        // all of B before, unless it has been
  Element* packed_a;                   // [panel from in_place on][k_padded][kMr]
  const Element* b;                    // [n_panel][...][kNr] packed before; or null
  int64_t b_panel;                     // elements from a panel of b to the next
  float* sums;                         // [n_panel][panel][kMr][kNr] between runs of k, or null
};

// Panel p of A times a panel of B, for `count` k from k on.
template <class Engine, class Target>
void multiply_panel(const Gemm<Target>& g, const GemmPlan<Engine>& plan, int64_t p, int64_t k,
                    int64_t count, const Sums& sums, const typename Engine::Element* b) {
  const int64_t m = plan.m_begin + p * Engine::kMr;
  const int64_t rows = smaller(Engine::kMr, plan.m_end - m);
  if (p < plan.in_place) {
    const View& a = g.a.view;
    Engine::multiply_in_place(rows, sums, a.template row<typename Engine::Element>(m) + k, a.stride,
                              b, count);
  } else {
    const int64_t at = ((p - plan.in_place) * plan.k_padded + k - plan.k_begin) * Engine::kMr;
    Engine::multiply(rows, sums, plan.packed_a + at, b, count);
  }
}

// The whole panel p of A, for all k: the target takes the sums out of registers. False if it does
// not.
template <class Engine, class Target>
bool finish_panel(const Gemm<Target>& g, const GemmPlan<Engine>& plan, int64_t p, int64_t count,
                  int64_t n, const typename Engine::Element* b) {
  const int64_t m = plan.m_begin + p * Engine::kMr;
  return g.target.finish(m, n, [&](const auto& finish) {
    if (p < plan.in_place) {
      const View& a = g.a.view;
      Engine::finish_in_place(a.template row<typename Engine::Element>(m), a.stride, b, count,
                              finish);
    } else {
      const int64_t at = (p - plan.in_place) * plan.k_padded * Engine::kMr;
      Engine::finish(plan.packed_a + at, b, count, finish);
    }
  });
}

// One panel of columns, the rows of one piece. work: B where it is packed on the way, then the
// tiles of the piece.
template <class Engine, class Target>
void multiply_piece(const Gemm<Target>& g, const GemmPlan<Engine>& plan, int64_t task, char* work) {
  constexpr int64_t kTile = GemmPlan<Engine>::kTile;
  const int64_t n_panel = task % plan.n_panels, n = n_panel * Target::kColumns;
  const int64_t columns = smaller(Target::kColumns, g.target.columns() - n);
  const int64_t panel_begin = task / plan.n_panels * plan.panels_per_piece;
  const int64_t panel_end = smaller(plan.panels, panel_begin + plan.panels_per_piece);
  auto* packed_b = reinterpret_cast<typename Engine::Element*>(work);  // [k_block][kNr]
  float* tiles =
      plan.sums == nullptr
          ? reinterpret_cast<float*>(packed_b + (plan.b ? 0 : plan.k_block * Engine::kNr))
          : plan.sums + (n_panel * plan.panels + panel_begin) * kTile;
  const int64_t inner = g.inner();
  const bool in_one_go = plan.k_block >= inner;  // one tile, which stays in L1
  for (int64_t k = plan.k_begin; k < plan.k_end || k == 0; k += plan.k_block) {
    const int64_t count = smaller(plan.k_block, plan.k_end - k);
    if (plan.b == nullptr) Engine::pack_b(packed_b, g.b, n, k, count);
    const typename Engine::Element* panel =
        plan.b == nullptr ? packed_b : plan.b + n_panel * plan.b_panel;
    for (int64_t p = panel_begin; p < panel_end; ++p) {
      float* tile = in_one_go ? tiles : tiles + (p - panel_begin) * kTile;
      const int64_t m = plan.m_begin + p * Engine::kMr;
      const int64_t rows = smaller(Engine::kMr, plan.m_end - m);
      const bool last = k + count >= inner;
      if (last && p + 1 < panel_end) {
        const int64_t next = m + Engine::kMr;
        g.target.prefetch(next, n, smaller(Engine::kMr, plan.m_end - next), columns);
      }
      if constexpr (Engine::kFinishes) {
        if (last && k == 0 && rows == Engine::kMr && columns == Engine::kNr &&
            finish_panel<Engine>(g, plan, p, count, n, panel)) {
          continue;
        }
      }
      multiply_panel<Engine>(g, plan, p, k, count, {tile, k == 0}, panel);
      if (last) g.target.store(tile, m, n, rows, columns);
    }
  }
}

template <class Engine, class Target>
GemmPlan<Engine> plan_gemm(const Gemm<Target>& g, int64_t m_begin, int64_t m_end, int64_t k_step,
                           int threads) {
  constexpr auto kElement = static_cast<int64_t>(sizeof(typename Engine::Element));
  GemmPlan<Engine> plan{};
  plan.m_begin = m_begin;
  plan.m_end = m_end;
  plan.k_padded = ceil_div(smaller(k_step, g.inner()), Engine::kDepth) * Engine::kDepth;
  plan.panels = ceil_div(m_end - m_begin, Engine::kMr);
  plan.n_panels = ceil_div(g.target.columns(), Target::kColumns);
  plan.in_place = panels_in_place<Engine>(g, m_begin, m_end, plan.panels);
  const int64_t bytes_of_b = plan.n_panels * plan.k_padded * Engine::kNr * kElement;
  plan.packs_b = g.b.packed == nullptr && worth_packing_before(plan.panels, bytes_of_b);
  const bool packed_before = plan.packs_b || g.b.packed != nullptr;
  // Enough tasks for the threads to share evenly. Where each packs its B, as long as that stays
  // cheap beside them; else as many rows as stay in L2 while the panels of B pass by.
  const int64_t tasks = (packed_before ? 32 : 6) * threads;
  constexpr int64_t kPanelsPerTask = 4;
  plan.m_pieces = smaller(ceil_div(tasks, plan.n_panels), ceil_div(plan.panels, kPanelsPerTask));
  if (packed_before) {
    const int64_t panel = plan.k_padded * Engine::kMr * kElement;
    int64_t kept = panel > 0 ? Engine::kKeptOfA / panel : plan.panels;
    if (kept < kPanelsPerTask) kept = kPanelsPerTask;
    if (ceil_div(plan.panels, kept) > plan.m_pieces) plan.m_pieces = ceil_div(plan.panels, kept);
  }
  plan.panels_per_piece = ceil_div(plan.panels, plan.m_pieces);
  plan.m_pieces = ceil_div(plan.panels, plan.panels_per_piece);
  // Few rows: B passes once and should go no further than L1. Many: the panel stays in L2.
  constexpr int64_t kFewRows = 128;
  constexpr int64_t kManyRows = (int64_t{128} << 10) / Engine::kNr / kElement;
  plan.k_block =
      smaller(plan.k_padded, plan.panels_per_piece <= kFewPanelsOfA ? kFewRows : kManyRows);
  if (packed_before) plan.k_block = plan.k_padded;
  if (plan.k_block < Engine::kDepth) plan.k_block = Engine::kDepth;
  return plan;
}

// Packs what the plan wants packed before its run of k: panels of A, and of B where `b` is given.
template <class Engine, class Target>
void pack_operands(const Gemm<Target>& g, const GemmPlan<Engine>& plan, typename Engine::Element* b,
                   Stream& s) {
  constexpr int64_t kPanels = 8;  // of A at once
  const int64_t count = plan.k_end - plan.k_begin, panel = plan.k_padded * Engine::kMr;
  const int64_t of_a = ceil_div(plan.panels - plan.in_place, kPanels);
  s.parallel_for(of_a + (b == nullptr ? 0 : plan.n_panels), 1, [&](int64_t i, int64_t end, int) {
    for (; i < end; ++i) {
      if (i >= of_a) {
        const int64_t n_panel = i - of_a;
        Engine::pack_b(b + n_panel * plan.b_panel, g.b, n_panel * Target::kColumns, plan.k_begin,
                       count);
        continue;
      }
      const int64_t first = i * kPanels, before = plan.in_place + first;
      const int64_t panels = smaller(kPanels, plan.panels - before);
      const int64_t m = plan.m_begin + before * Engine::kMr;
      typename Engine::Element* to = plan.packed_a + first * panel;
      if (g.a.transposed) {
        Engine::pack_a_across(to, panel, panels, g.a, m, plan.k_begin, count);
        continue;
      }
      for (int64_t p = 0; p < panels; ++p) {
        Engine::pack_a(to + p * panel, g.a, m + p * Engine::kMr, plan.k_begin, count);
      }
    }
  });
}

// `b_stays`: what was packed of B for other rows is still there.
template <class Engine, class Target>
void multiply_rows_of_c(const Gemm<Target>& g, int64_t m_begin, int64_t m_end, int64_t k_step,
                        bool b_stays, Stream& s) {
  using Plan = GemmPlan<Engine>;
  using Element = typename Engine::Element;
  Plan plan = plan_gemm<Engine>(g, m_begin, m_end, k_step, s.threads());
  constexpr auto kElement = static_cast<int64_t>(sizeof(Element));
  constexpr auto kFloat = static_cast<int64_t>(sizeof(float));
  const auto aligned = [](int64_t bytes) { return ceil_div(bytes, 64) * 64; };
  const int64_t inner = g.inner(), padded = ceil_div(inner, Engine::kDepth) * Engine::kDepth;
  plan.b_panel = (g.b.packed == nullptr ? plan.k_padded : padded) * Engine::kNr;
  // B first: it lies at the same place for all rows.
  const int64_t b = plan.packs_b ? aligned(plan.n_panels * plan.b_panel * kElement) : 0;
  // At least a panel, so that the last rows need no more than the first ones.
  const int64_t a_panels = plan.panels > plan.in_place ? plan.panels - plan.in_place : 1;
  const int64_t a = aligned(a_panels * plan.k_padded * Engine::kMr * kElement);
  const int64_t kept = inner > k_step ? plan.n_panels * plan.panels * Plan::kTile * kFloat : 0;
  char* shared = static_cast<char*>(s.scratch().shared(static_cast<size_t>(b + a + kept)));
  auto* packed_b = reinterpret_cast<Element*>(shared);
  plan.packed_a = reinterpret_cast<Element*>(shared + b);
  plan.sums = kept == 0 ? nullptr : reinterpret_cast<float*>(shared + b + a);
  const bool b_is_there = plan.packs_b || g.b.packed != nullptr;
  const int64_t work =
      (b_is_there ? 0 : plan.k_block * Engine::kNr * kElement) +
      (kept == 0 ? (plan.k_block >= inner ? 1 : plan.panels_per_piece) * Plan::kTile * kFloat : 0);
  for (int64_t k = 0; k < inner || k == 0; k += k_step) {
    plan.k_begin = k;
    plan.k_end = smaller(inner, k + k_step);
    if (g.b.packed != nullptr) {
      plan.b = static_cast<const Element*>(g.b.packed) + k * Engine::kNr;
    } else if (plan.packs_b) {
      plan.b = packed_b;
    }
    pack_operands<Engine>(g, plan, plan.packs_b && !b_stays ? packed_b : nullptr, s);
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
  if constexpr (Engine::kHoldsA) {
    if (multiply_held<Engine>(g, s)) return;
  }
  constexpr int64_t kRunOfK = 4096, kLeastRows = 256;
  constexpr int64_t kPackedElements =
      (int64_t{4} << 20) / static_cast<int64_t>(sizeof(typename Engine::Element));
  const int64_t inner = g.inner(), run = smaller(kRunOfK, inner > 0 ? inner : 1);
  int64_t step = kPackedElements / run;
  if (step < kLeastRows) step = kLeastRows;
  step = ceil_div(step, Engine::kMr) * Engine::kMr;
  // The first rows are as many as any others, so memory that holds theirs holds all.
  for (int64_t m = 0; m < g.target.rows(); m += step) {
    const bool b_stays = m > 0 && inner <= kRunOfK;
    multiply_rows_of_c<Engine>(g, m, smaller(g.target.rows(), m + step), kRunOfK, b_stays, s);
  }
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
