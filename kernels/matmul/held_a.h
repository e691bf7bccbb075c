// The matrix product for an engine that multiplies faster than L2 gives it both operands (AMX: a
// step of 32 k takes 64 cycles and 4 KiB). A panel of A stays in L1, and all panels of a block of
// B, which L2 keeps, pass by it once. What is too long for L1 is cut along k; sums wait in f32.
//
// Such an engine has, beside what vector_engine.h says,
//   multiply_panels  `rows` rows of a panel of A, which stays, times one of B, which passes; A is
//                    packed, or lies `stride` elements from row to row. `meanwhile` is told how
//                    many steps there will be, of each one, and of the end of them, after which
//                    the tile is written
#pragma once

#include "kernels/matmul/packed_b.h"
#include "kernels/matmul/vector_engine.h"
#include "lib/base/stream.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

// Cache lines that will be read soon: `rows` of them at each step.
struct Coming {
  const char* at = nullptr;
  int64_t rows = 0, row_bytes = 0, step_bytes = 0;

  template <int kLevel>  // as __builtin_prefetch has it: 3 for L1, 2 for L2
  LLMTOOL_INLINE void ask(int64_t step) const {
    const char* line = at + step * step_bytes;
    for (int64_t r = 0; r < rows; ++r, line += row_bytes) __builtin_prefetch(line, 0, kLevel);
  }
};

// What is done between the steps of a product, whose unit leaves the others idle, a few rows at a
// time: the tile before goes to the target, the memory of this one is asked for, and the next panel
// of A.
template <class Engine, class Target>
class Meanwhile {
 public:
  explicit Meanwhile(const Target& target) : target_(target) {}

  // Of rows and columns of the product, from m and n.
  struct Place {
    int64_t m = 0, n = 0, rows = 0, columns = 0;
  };

  // The product to come, if it is the last of its sums: `here` is where it will be stored.
  void expect(const Place& here, const Coming& ahead, const Coming& sums) {
    next_ = here;
    asked_ = 0;
    ahead_ = ahead;
    sums_ = sums;
  }
  LLMTOOL_INLINE void begin(int64_t steps) {
    if (steps == 0) return;
    store_each_ = ceil_div(place_.rows - stored_, steps);
    // Memory that is only written to costs more asked for than not: stores wait in their queue.
    ask_each_ = target_.reads() ? ceil_div(next_.rows, steps) : 0;
  }
  LLMTOOL_INLINE void step(int64_t i) {
    ahead_.template ask<2>(i);
    sums_.template ask<3>(i);
    if (ask_each_ > 0 && asked_ < next_.rows) {
      const int64_t count = smaller(ask_each_, next_.rows - asked_);
      target_.prefetch(next_.m + asked_, next_.n, count, next_.columns);
      asked_ += count;
    }
    if (stored_ < place_.rows) store(smaller(store_each_, place_.rows - stored_));
  }
  void end() {
    if (stored_ < place_.rows) store(place_.rows - stored_);
  }
  // The product has come: its tile is to be stored.
  void take(float* tile) {
    tile_ = tile;
    place_ = next_;
    stored_ = 0;
  }

 private:
  LLMTOOL_INLINE void store(int64_t count) {
    const int64_t m = place_.m + stored_;
    float* from = tile_ + stored_ * Engine::kNr;
    stored_ += count;
    const auto rows = [&](const auto& finish) LLMTOOL_INLINE_LAMBDA {
      for (int64_t r = 0; r < count; ++r) {
        const float* row = from + r * Engine::kNr;
        finish(r, load(row), load(row + kLanes));
      }
    };
    if (place_.columns == Engine::kNr && target_.finish(m, place_.n, rows)) return;
    target_.store(from, m, place_.n, count, place_.columns);
  }

  const Target& target_;
  float* tile_ = nullptr;
  Place place_, next_;  // of the tile, and of the product to come
  int64_t stored_ = 0, store_each_ = 0, asked_ = 0, ask_each_ = 0;  // rows
  Coming ahead_, sums_;
};

struct HeldPlan {
  int64_t panels, n_panels;  // of A and B
  int64_t in_place;          // the first panels of A, which are read where they lie
  int64_t k_padded, k_block;
  int64_t m_pieces, panels_per_piece;  // tasks: m_pieces x n_blocks
  int64_t n_blocks, panels_per_block;

  bool in_one_go() const { return k_block >= k_padded; }
};

template <class Engine, class Target>
HeldPlan plan_held(const Gemm<Target>& g, int threads) {
  constexpr auto kElement = static_cast<int64_t>(sizeof(typename Engine::Element));
  constexpr int64_t kHeldOfA = (int64_t{40} << 10) / Engine::kMr / kElement;  // k: L1 has 48 KiB
  constexpr int64_t kKeptOfB = int64_t{1} << 20, kKeptSums = int64_t{640} << 10;  // of L2's 2 MiB
  constexpr int64_t kTile = Engine::kMr * Engine::kNr * static_cast<int64_t>(sizeof(float));
  HeldPlan p{};
  p.panels = ceil_div(g.target.rows(), Engine::kMr);
  p.n_panels = ceil_div(g.target.columns(), Target::kColumns);
  p.in_place = panels_in_place<Engine>(g, 0, g.target.rows(), p.panels);
  p.k_padded = ceil_div(g.inner(), Engine::kDepth) * Engine::kDepth;
  // A single panel of A is no trouble beside a B that comes from memory.
  const int64_t k_blocks = p.panels == 1 ? 1 : ceil_div(p.k_padded, kHeldOfA);
  p.k_block = ceil_div(ceil_div(p.k_padded, k_blocks), Engine::kDepth) * Engine::kDepth;
  // Blocks of B as large as L2 keeps, and where sums wait, as many rows as leave room for both.
  const auto within = [](int64_t least, int64_t value, int64_t most) {
    return value < least ? least : smaller(value, most);
  };
  int64_t block = within(1, kKeptOfB / (p.k_block * Engine::kNr * kElement), p.n_panels);
  if (p.panels == 1) block = p.n_panels;  // B passes once: nothing to keep
  int64_t piece = p.panels;
  if (!p.in_one_go()) {
    constexpr int64_t kPiece = 16;
    piece = smaller(p.panels, kPiece);
    block = within(1, kKeptSums / kTile / piece, block);
  }
  // And tasks enough for the threads to share evenly.
  const int64_t tasks = threads == 1 ? 1 : 8 * threads;
  p.n_blocks = ceil_div(p.n_panels, block);
  p.m_pieces = within(ceil_div(p.panels, piece), ceil_div(tasks, p.n_blocks), p.panels);
  p.n_blocks = within(p.n_blocks, ceil_div(tasks, p.m_pieces), p.n_panels);
  p.panels_per_block = ceil_div(p.n_panels, p.n_blocks);
  p.n_blocks = ceil_div(p.n_panels, p.panels_per_block);
  p.panels_per_piece = ceil_div(p.panels, p.m_pieces);
  p.m_pieces = ceil_div(p.panels, p.panels_per_piece);
  return p;
}

// Memory of one task.
template <class Engine>
struct HeldWork {
  typename Engine::Element* a;  // [k_block][kMr]: the panel that stays, where it is packed
  float* tiles;                 // [panel of the piece][panel of the block][kMr][kNr], or one tile

  static int64_t bytes(const HeldPlan& plan, char* base, HeldWork* work) {
    constexpr int64_t kTile = Engine::kMr * Engine::kNr;
    const int64_t a = plan.k_block * Engine::kMr * static_cast<int64_t>(sizeof(*work->a));
    const int64_t tiles = plan.in_one_go() ? 1 : plan.panels_per_piece * plan.panels_per_block;
    if (work != nullptr) {
      work->a = reinterpret_cast<typename Engine::Element*>(base);
      work->tiles = reinterpret_cast<float*>(base + a);
    }
    return a + tiles * kTile * static_cast<int64_t>(sizeof(float));
  }
};

// The lines of the panel of A from row m on, k from `k` on, that are asked for beside panel `i` of
// `of` panels of B.
template <class Engine, class Target>
Coming coming_rows(const Gemm<Target>& g, int64_t m, int64_t k, int64_t i, int64_t of) {
  const View& a = g.a.view;
  const int64_t bytes = a.stride * size_of(a.dtype);
  const int64_t first = i * Engine::kMr / of, rows = (i + 1) * Engine::kMr / of - first;
  constexpr int64_t kLine = 64;
  if (g.a.transposed) {
    // kDepth rows of the view are as many lines as kMr rows of A times a line of k.
    return {static_cast<const char*>(a.at(k + first, m)), rows, bytes, Engine::kDepth * bytes};
  }
  return {static_cast<const char*>(a.at(m + first, k)), rows, bytes, kLine};
}

// B that passes once, from memory: what comes after the panel too, since panels lie one after
// another.
template <class Engine>
Coming coming_columns(const typename Engine::Element* panel) {
  constexpr int64_t kAhead = int64_t{16} << 10, kLine = 64;  // bytes
  constexpr int64_t kStep = Engine::kDepth * Engine::kNr * static_cast<int64_t>(sizeof(*panel));
  return {reinterpret_cast<const char*>(panel) + kAhead, kStep / kLine, kLine, kStep};
}

// A tile of sums that waited in memory.
template <class Engine>
Coming coming_sums(const float* tile, int64_t k) {
  constexpr int64_t kBytes = Engine::kMr * Engine::kNr * static_cast<int64_t>(sizeof(float));
  constexpr int64_t kLine = 64;
  const int64_t rows = kBytes / kLine * Engine::kDepth / k;
  return {reinterpret_cast<const char*>(tile), rows, kLine, rows * kLine};
}

template <class Engine, class Target>
void multiply_block(const Gemm<Target>& g, const HeldPlan& plan, const typename Engine::Element* b,
                    int64_t task, char* memory) {
  constexpr int64_t kTile = Engine::kMr * Engine::kNr;
  HeldWork<Engine> work;
  HeldWork<Engine>::bytes(plan, memory, &work);
  const int64_t n_begin = task / plan.m_pieces * plan.panels_per_block;
  const int64_t n_end = smaller(plan.n_panels, n_begin + plan.panels_per_block);
  const int64_t p_begin = task % plan.m_pieces * plan.panels_per_piece;
  const int64_t p_end = smaller(plan.panels, p_begin + plan.panels_per_piece);
  const int64_t inner = g.inner(), M = g.target.rows(), N = g.target.columns();
  Meanwhile<Engine, Target> meanwhile(g.target);
  for (int64_t k = 0; k < plan.k_padded; k += plan.k_block) {
    const int64_t count = smaller(plan.k_block, inner - k);
    const bool last = k + plan.k_block >= plan.k_padded;
    for (int64_t p = p_begin; p < p_end; ++p) {
      const int64_t m = p * Engine::kMr, rows = smaller(Engine::kMr, M - m);
      const typename Engine::Element* a = work.a;
      int64_t stride = 0;
      if (p < plan.in_place) {
        a = g.a.view.template row<typename Engine::Element>(m) + k;
        stride = g.a.view.stride;
      } else {
        Engine::pack_a(work.a, g.a, m, k, count);
      }
      // Whole panels only: of the last one rows and columns may not be there.
      const bool ask = p + 1 < p_end && m + 2 * Engine::kMr <= M && count == plan.k_block;
      for (int64_t n = n_begin; n < n_end; ++n) {
        float* tile = work.tiles;
        if (!plan.in_one_go()) {
          tile += ((p - p_begin) * plan.panels_per_block + n - n_begin) * kTile;
        }
        const int64_t column = n * Target::kColumns;
        const typename Engine::Element* panel = b + (n * plan.k_padded + k) * Engine::kNr;
        meanwhile.expect(
            {m, column, last ? rows : 0, smaller(Target::kColumns, N - column)},
            ask ? coming_rows<Engine>(g, m + Engine::kMr, k, n - n_begin, n_end - n_begin)
            : plan.panels == 1 ? coming_columns<Engine>(panel)
                               : Coming{},
            k > 0 && n + 1 < n_end ? coming_sums<Engine>(tile + kTile, plan.k_block) : Coming{});
        Engine::multiply_panels(rows, {tile, k == 0}, a, stride, panel, count, meanwhile);
        if (last) meanwhile.take(tile);
      }
    }
  }
  meanwhile.end();
}

// False, with nothing done, where B would have to be packed for too few rows, or is too large for
// that, or empty.
template <class Engine, class Target>
bool multiply_held(const Gemm<Target>& g, Stream& s) {
  using Element = typename Engine::Element;
  const int64_t columns = g.target.columns();
  if (g.target.rows() == 0 || columns == 0) return true;
  if (g.inner() == 0) return false;
  const HeldPlan plan = plan_held<Engine>(g, s.threads());
  const auto* b = static_cast<const Element*>(g.b.packed);
  if (b == nullptr) {
    const int64_t size = pack_all_of_b<Engine>(nullptr, g.b, columns, Target::kColumns, s);
    if (!worth_packing_before(plan.panels, size)) return false;
    void* to = s.scratch().shared(static_cast<size_t>(size));
    pack_all_of_b<Engine>(to, g.b, columns, Target::kColumns, s);
    b = static_cast<const Element*>(to);
  }
  const auto bytes = static_cast<size_t>(HeldWork<Engine>::bytes(plan, nullptr, nullptr));
  s.parallel_for(plan.m_pieces * plan.n_blocks, 1, [&](int64_t task, int64_t end, int thread) {
    char* memory = static_cast<char*>(s.scratch().of_thread(thread, bytes));
    Engine::begin();
    for (; task < end; ++task) multiply_block<Engine>(g, plan, b, task, memory);
    Engine::end();
  });
  return true;
}

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
