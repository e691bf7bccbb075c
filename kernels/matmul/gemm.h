// The matrix product of the CPU levels: C(m, n) = sum over k of A(m, k) * B(k, n), summed in f32.
//
// Every element of C is one chain of additions over k = 0, 1, 2, ... (fused multiply-adds on the
// vector levels, tile products of 32 k on AMX): the order of summation depends on nothing else, so
// blocking, threads and the number of rows do not change a bit. Operands are packed on the way: A
// whole, into panels of rows, B panel by panel of columns into the cache of the thread that uses
// it. Weights need no packed copy in memory (tests/bench/matmul_spike.md).
#pragma once

#include "lib/base/op.h"
#include "lib/base/simd.h"
#include "lib/base/stream.h"
#include "lib/base/view.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

inline constexpr int64_t kNrVectors = 2;
inline constexpr int64_t kNr = kNrVectors * kLanes;
// Accumulators for kMr rows, the kNrVectors of B and one broadcast fill the register file.
inline constexpr int64_t kMr = kLanes == 16 ? 14 : 6;

// How A and B lie in memory.
struct Operand {
  View view;
  bool transposed;  // A: view is (K, M) instead of (M, K); B: view is (N, K) instead of (K, N)
};

struct Gemm {
  View c;           // (M, N) f32 or bf16
  Operand a;        // f32 or bf16
  Operand b;        // f32 or bf16
  View residual;    // (M, N) like c or empty: added to the finished sum
  bool accumulate;  // the chain starts from c instead of 0
};

LLMTOOL_INLINE int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}
LLMTOOL_INLINE int64_t smaller(int64_t a, int64_t b) {
  return a < b ? a : b;
}

// to[k][i] = from(row i, column k) for i < rows, 0 for rows <= i < width; from is row-major.
template <class T>
void pack_transposed(float* to, int64_t width, const T* from, int64_t stride, int64_t rows,
                     int64_t k_count) {
  for (int64_t i = 0; i < width; i += kLanes) {
    const int64_t lanes = smaller(kLanes, width - i);
    for (int64_t k = 0; k < k_count; k += kLanes) {
      const int64_t depth = smaller(kLanes, k_count - k);
      Vec r[kLanes];
      for (int64_t j = 0; j < kLanes; ++j) {
        r[j] = i + j < rows ? load_lanes(from + (i + j) * stride + k, depth) : zero();
      }
      transpose(r);
      for (int64_t j = 0; j < depth; ++j) store_lanes(to + (k + j) * width + i, r[j], lanes);
    }
  }
}

// to[k][i] = from(row k, column i) for i < columns, 0 for columns <= i < width.
template <class T>
void pack_straight(float* to, int64_t width, const T* from, int64_t stride, int64_t columns,
                   int64_t k_count) {
  for (int64_t k = 0; k < k_count; ++k) {
    for (int64_t i = 0; i < width; i += kLanes) {
      const int64_t there = columns - i;
      const int64_t lanes = smaller(kLanes, width - i);
      const Vec v = there >= kLanes ? load(from + k * stride + i)
                    : there > 0     ? load_n(from + k * stride + i, there)
                                    : zero();
      store_lanes(to + k * width + i, v, lanes);
    }
  }
}

// A panel of `width` rows of A or columns of B, from index `begin`, k in [k_begin, k_begin +
// count).
template <class T>
LLMTOOL_INLINE void pack_panel_of(float* to, int64_t width, const View& v, bool k_is_column,
                                  int64_t begin, int64_t k_begin, int64_t count) {
  if (k_is_column) {
    pack_transposed(to, width, v.row<T>(begin) + k_begin, v.stride, smaller(width, v.rows - begin),
                    count);
  } else {
    pack_straight(to, width, v.row<T>(k_begin) + begin, v.stride, smaller(width, v.cols - begin),
                  count);
  }
}

inline void pack_panel(float* to, int64_t width, const View& v, bool k_is_column, int64_t begin,
                       int64_t k_begin, int64_t count) {
  if (v.dtype == DType::kBF16) {
    pack_panel_of<bf16>(to, width, v, k_is_column, begin, k_begin, count);
  } else {
    pack_panel_of<float>(to, width, v, k_is_column, begin, k_begin, count);
  }
}

// tile[R][kNr] += a[k][kMr] * b[k][kNr] for k < count: R rows of a panel of A, a panel of B.
template <int R>
void multiply_tile(float* tile, const float* a, const float* b, int64_t count) {
  Vec acc[R][kNrVectors];
  for (int r = 0; r < R; ++r) {
    for (int j = 0; j < kNrVectors; ++j) acc[r][j] = load(tile + r * kNr + j * kLanes);
  }
  for (int64_t k = 0; k < count; ++k) {
    const Vec b0 = load(b + k * kNr), b1 = load(b + k * kNr + kLanes);
#pragma GCC unroll 14
    for (int r = 0; r < R; ++r) {
      const Vec x = set1(a[k * kMr + r]);
      acc[r][0] = fma(x, b0, acc[r][0]);
      acc[r][1] = fma(x, b1, acc[r][1]);
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int j = 0; j < kNrVectors; ++j) store(tile + r * kNr + j * kLanes, acc[r][j]);
  }
}

template <int R = static_cast<int>(kMr)>
LLMTOOL_INLINE void multiply_rows(int64_t rows, float* tile, const float* a, const float* b,
                                  int64_t count) {
  if constexpr (R > 1) {
    if (rows < R) return multiply_rows<R - 1>(rows, tile, a, b, count);
  }
  multiply_tile<R>(tile, a, b, count);
}

// tile: rows of `width` floats.
template <class T>
void load_tile(float* tile, int64_t width, const View& c, int64_t m, int64_t n, int64_t rows,
               int64_t columns) {
  for (int64_t r = 0; r < rows; ++r) {
    const T* from = c.row<T>(m + r) + n;
    for_vectors(columns, [&](int64_t i, int64_t lanes) {
      store(tile + r * width + i, load_lanes(from + i, lanes));
    });
  }
}

template <class T>
void store_tile(const Gemm& g, const float* tile, int64_t width, int64_t m, int64_t n, int64_t rows,
                int64_t columns) {
  for (int64_t r = 0; r < rows; ++r) {
    T* to = g.c.row<T>(m + r) + n;
    const T* add = g.residual.empty() ? nullptr : g.residual.row<T>(m + r) + n;
    for_vectors(columns, [&](int64_t i, int64_t lanes) {
      Vec v = load(tile + r * width + i);
      if (add != nullptr) v = v + load_lanes(add + i, lanes);
      store_lanes(to + i, v, lanes);
    });
  }
}

// What multiplies packed panels: the vector units, in f32. An engine has
//   Element        of packed operands
//   kMr, kNr       rows of a panel of A, columns of a panel of B
//   kDepth         k is padded with zeros to a multiple of it
//   pack_a, pack_b a panel from index `begin`, k in [k_begin, k_begin + count)
//   multiply       tile[kMr][kNr] += `rows` rows of a panel of A times a panel of B
//   begin, end     around the multiplications of a thread
struct VectorEngine {
  using Element = float;
  static constexpr int64_t kMr = llmtool::LLMTOOL_ISA_NAMESPACE::kMr;
  static constexpr int64_t kNr = llmtool::LLMTOOL_ISA_NAMESPACE::kNr;
  static constexpr int64_t kDepth = 1;

  static void pack_a(float* to, const Operand& a, int64_t begin, int64_t k_begin, int64_t count) {
    pack_panel(to, kMr, a.view, !a.transposed, begin, k_begin, count);
  }
  static void pack_b(float* to, const Operand& b, int64_t begin, int64_t k_begin, int64_t count) {
    pack_panel(to, kNr, b.view, b.transposed, begin, k_begin, count);
  }
  static void multiply(int64_t rows, float* tile, const float* a, const float* b, int64_t count) {
    multiply_rows(rows, tile, a, b, count);
  }
  static void begin() {}
  static void end() {}
};

// Where one call's pieces lie: rows [m_begin, m_end) of C against all of B.
template <class Engine>
struct GemmPlan {
  int64_t m_begin, m_end;  // rows whose A panels are packed together
  int64_t k, k_padded;
  int64_t n_panels;
  int64_t m_pieces, panels_per_piece;        // tasks: n_panels x m_pieces
  int64_t k_block;                           // of B that is packed at once, a multiple of kDepth
  const typename Engine::Element* packed_a;  // [panel][k_padded][kMr]
};

template <class Engine>
void start_tile(const Gemm& g, float* tile, int64_t m, int64_t n, int64_t rows, int64_t columns) {
  for (int64_t i = 0; i < Engine::kMr * Engine::kNr; i += kLanes) store(tile + i, zero());
  if (!g.accumulate) return;
  g.c.dtype == DType::kBF16 ? load_tile<bf16>(tile, Engine::kNr, g.c, m, n, rows, columns)
                            : load_tile<float>(tile, Engine::kNr, g.c, m, n, rows, columns);
}

template <class Engine>
void finish_tile(const Gemm& g, const float* tile, int64_t m, int64_t n, int64_t rows,
                 int64_t columns) {
  g.c.dtype == DType::kBF16 ? store_tile<bf16>(g, tile, Engine::kNr, m, n, rows, columns)
                            : store_tile<float>(g, tile, Engine::kNr, m, n, rows, columns);
}

// One panel of columns of C, the rows of one piece. work: B, then the tiles of the piece.
template <class Engine>
void multiply_piece(const Gemm& g, const GemmPlan<Engine>& plan, int64_t task, char* work) {
  constexpr int64_t kTile = Engine::kMr * Engine::kNr;
  const int64_t n = task / plan.m_pieces * Engine::kNr;
  const int64_t columns = smaller(Engine::kNr, g.c.cols - n);
  const int64_t panel_begin = task % plan.m_pieces * plan.panels_per_piece;
  const int64_t panels = ceil_div(plan.m_end - plan.m_begin, Engine::kMr);
  const int64_t panel_end = smaller(panels, panel_begin + plan.panels_per_piece);
  auto* packed_b = reinterpret_cast<typename Engine::Element*>(work);  // [k_block][kNr]
  auto* tiles = reinterpret_cast<float*>(packed_b + plan.k_block * Engine::kNr);
  for (int64_t k = 0; k < plan.k || k == 0; k += plan.k_block) {
    const int64_t count = smaller(plan.k_block, plan.k - k);
    Engine::pack_b(packed_b, g.b, n, k, count);
    for (int64_t p = panel_begin; p < panel_end; ++p) {
      float* tile = tiles + (p - panel_begin) * kTile;
      const int64_t m = plan.m_begin + p * Engine::kMr;
      const int64_t rows = smaller(Engine::kMr, plan.m_end - m);
      if (k == 0) start_tile<Engine>(g, tile, m, n, rows, columns);
      Engine::multiply(rows, tile, plan.packed_a + (p * plan.k_padded + k) * Engine::kMr, packed_b,
                       count);
      if (k + count >= plan.k) finish_tile<Engine>(g, tile, m, n, rows, columns);
    }
  }
}

template <class Engine>
GemmPlan<Engine> plan_gemm(const Gemm& g, int64_t m_begin, int64_t m_end, int threads) {
  const int64_t K = g.b.transposed ? g.b.view.cols : g.b.view.rows;
  const int64_t panels = ceil_div(m_end - m_begin, Engine::kMr);
  const int64_t padded = ceil_div(K, Engine::kDepth) * Engine::kDepth;
  GemmPlan<Engine> plan{m_begin, m_end,  K,      padded, ceil_div(g.c.cols, Engine::kNr),
                        1,       panels, padded, nullptr};
  // Enough tasks for the threads to share evenly, as long as packing B stays cheap beside them.
  constexpr int64_t kTasksPerThread = 6, kPanelsPerTask = 4;
  plan.m_pieces = ceil_div(kTasksPerThread * threads, plan.n_panels);
  plan.m_pieces = smaller(plan.m_pieces, ceil_div(panels, kPanelsPerTask));
  plan.panels_per_piece = ceil_div(panels, plan.m_pieces);
  plan.m_pieces = ceil_div(panels, plan.panels_per_piece);
  // Few rows: B passes once and should go no further than L1. Many: the panel stays in L2.
  constexpr int64_t kFewRows = 128, kManyRows = 1024;
  plan.k_block = smaller(padded, plan.panels_per_piece <= 2 ? kFewRows : kManyRows);
  if (plan.k_block < Engine::kDepth) plan.k_block = Engine::kDepth;
  return plan;
}

// Packs the rows [m_begin, m_end) of A and multiplies them with all of B.
template <class Engine>
void multiply_rows_of_c(const Gemm& g, int64_t m_begin, int64_t m_end, Stream& s) {
  using Element = typename Engine::Element;
  GemmPlan<Engine> plan = plan_gemm<Engine>(g, m_begin, m_end, s.threads());
  const int64_t panels = ceil_div(m_end - m_begin, Engine::kMr);
  const int64_t panel = plan.k_padded * Engine::kMr;
  auto* packed_a = static_cast<Element*>(
      s.scratch().shared(static_cast<size_t>(panels * panel) * sizeof(Element)));
  plan.packed_a = packed_a;
  constexpr int64_t kPackGrain = 4;
  s.parallel_for(panels, kPackGrain, [&](int64_t begin, int64_t end, int) {
    for (int64_t p = begin; p < end; ++p) {
      Engine::pack_a(packed_a + p * panel, g.a, m_begin + p * Engine::kMr, 0, plan.k);
    }
  });
  const int64_t work =
      plan.k_block * Engine::kNr * static_cast<int64_t>(sizeof(Element)) +
      plan.panels_per_piece * Engine::kMr * Engine::kNr * static_cast<int64_t>(sizeof(float));
  s.parallel_for(plan.n_panels * plan.m_pieces, 1, [&](int64_t begin, int64_t end, int thread) {
    char* mine = static_cast<char*>(s.scratch().of_thread(thread, static_cast<size_t>(work)));
    Engine::begin();
    for (int64_t t = begin; t < end; ++t) multiply_piece<Engine>(g, plan, t, mine);
    Engine::end();
  });
}

template <class Engine = VectorEngine>
void gemm(const Gemm& g, Stream& s) {
  const int64_t K = g.b.transposed ? g.b.view.cols : g.b.view.rows;
  // Rows of A packed at a time: 32 MiB of f32, at least 8 panels.
  constexpr int64_t kPackedElements = int64_t{8} << 20;
  int64_t step = kPackedElements / (K > 0 ? K : 1) / Engine::kMr * Engine::kMr;
  if (step < 8 * Engine::kMr) step = 8 * Engine::kMr;
  for (int64_t m = 0; m < g.c.rows; m += step) {
    multiply_rows_of_c<Engine>(g, m, smaller(g.c.rows, m + step), s);
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
