// A matrix product: its operands, and what becomes of it.
#pragma once

#include "kernels/matmul/panels.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

template <class Target>
struct Gemm {
  Operand a, b;
  Target target;

  int64_t inner() const { return b.transposed ? b.view.cols : b.view.rows; }
};

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
//   store              takes the tile [kMr][kNr] of the rows from m, the columns from n; may write
//                      to the tile
//   finish             whether run(f) was called, with an f(r, v0, v1) that stores row r of a whole
//                      tile
//   reads              whether store() reads what lies there
//   prefetch           asks for the memory of such a tile, which store() is about to use
// This one: c = a b [+ bias] [+ residual].
struct Product {
  View c;              // (M, N) f32 or bf16
  View residual = {};  // (M, N) like c, may be c itself; or empty
  View bias = {};      // (1, N) f32 or bf16, or empty

  static constexpr int64_t kColumns = kNr;
  int64_t rows() const { return c.rows; }
  int64_t columns() const { return c.cols; }
  bool reads() const { return !residual.empty(); }

  void prefetch(int64_t m, int64_t n, int64_t row_count, int64_t column_count) const {
    prefetch_rows(residual.empty() ? c : residual, m, n, row_count, column_count);
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
  template <class T, bool kAdds>
  struct StoreRow {
    T* to;
    const T* add;
    int64_t stride, add_stride;

    LLMTOOL_INLINE void operator()(int64_t r, Vec v0, Vec v1) const {
      T* row = to + r * stride;
      if constexpr (kAdds) {
        const T* more = add + r * add_stride;
        v0 = v0 + llmtool::LLMTOOL_ISA_NAMESPACE::load(more);
        v1 = v1 + llmtool::LLMTOOL_ISA_NAMESPACE::load(more + kLanes);
      }
      llmtool::LLMTOOL_ISA_NAMESPACE::store(row, v0);
      llmtool::LLMTOOL_ISA_NAMESPACE::store(row + kLanes, v1);
    }
  };
  template <class T, class Run>
  void finish_as(int64_t m, int64_t n, const Run& run) const {
    T* to = c.row<T>(m) + n;
    if (residual.empty()) {
      run(StoreRow<T, false>{to, nullptr, c.stride, 0});
    } else {
      run(StoreRow<T, true>{to, residual.row<T>(m) + n, c.stride, residual.stride});
    }
  }
  template <class Run>
  bool finish(int64_t m, int64_t n, const Run& run) const {
    if (!bias.empty()) return false;
    c.dtype == DType::kBF16 ? finish_as<bf16>(m, n, run) : finish_as<float>(m, n, run);
    return true;
  }
  LLMTOOL_INLINE Vec load_bias(int64_t n, int64_t lanes) const {
    return bias.dtype == DType::kBF16 ? load_lanes(bias.row<bf16>(0) + n, lanes)
                                      : load_lanes(bias.row<float>(0) + n, lanes);
  }
  void store(const float* tile, int64_t m, int64_t n, int64_t row_count,
             int64_t column_count) const {
    c.dtype == DType::kBF16 ? store_as<bf16>(tile, m, n, row_count, column_count)
                            : store_as<float>(tile, m, n, row_count, column_count);
  }
};

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
