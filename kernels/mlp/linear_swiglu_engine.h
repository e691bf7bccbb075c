// linear_swiglu.h on an engine of kernels/matmul/gemm.h.
#pragma once

#include "kernels/matmul/gemm.h"
#include "kernels/mlp/linear_swiglu.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

struct Sigmoid {
  Vec value, complement;  // of z, and 1 - that without cancellation
};

LLMTOOL_INLINE Sigmoid sigmoid(Vec z) {
  const Vec t = exp(min(zero() - z, z));  // of -|z|: never overflows
  const Vec r = set1(1.0f) / (set1(1.0f) + t);
  return {select_less(z, zero(), t * r, r), select_less(z, zero(), r, t * r)};
}

// Both products end in gate, up and y, whose column n is column n and n + F of gate_up.
struct GatedTarget {
  View gate_up, y;

  int64_t rows() const { return y.rows; }
  int64_t columns() const { return y.cols; }
  template <class Run>
  bool finish(int64_t, int64_t, const Run&) const {
    return false;
  }
  void prefetch(int64_t m, int64_t n, int64_t row_count, int64_t column_count) const {
    prefetch_rows(gate_up, m, n, row_count, column_count);
    prefetch_rows(gate_up, m, n + y.cols, row_count, column_count);
    prefetch_rows(y, m, n, row_count, column_count);
  }
};

// A panel of B is a vector of columns of gate and the same columns of up (Operand::pitch).
struct SwigluOfProduct : GatedTarget {
  static constexpr int64_t kColumns = kLanes;
  bool reads() const { return false; }

  template <class T>
  void store_as(const float* tile, int64_t m, int64_t n, int64_t row_count, int64_t lanes) const {
    for (int64_t r = 0; r < row_count; ++r) {
      T* gate = gate_up.row<T>(m + r) + n;
      const Vec z = llmtool::LLMTOOL_ISA_NAMESPACE::load(tile + r * kNr);
      const Vec u = llmtool::LLMTOOL_ISA_NAMESPACE::load(tile + r * kNr + kLanes);
      store_lanes(gate, z, lanes);
      store_lanes(gate + y.cols, u, lanes);
      // Of the values as stored, which backward sees.
      const Vec stored = load_lanes(gate, lanes);
      const Vec product = stored * sigmoid(stored).value * load_lanes(gate + y.cols, lanes);
      store_lanes(y.row<T>(m + r) + n, product, lanes);
    }
  }
  void store(const float* tile, int64_t m, int64_t n, int64_t row_count, int64_t lanes) const {
    y.dtype == DType::kBF16 ? store_as<bf16>(tile, m, n, row_count, lanes)
                            : store_as<float>(tile, m, n, row_count, lanes);
  }
};

// The product is the gradient of y.
struct SwigluGradientOfProduct : GatedTarget {
  static constexpr int64_t kColumns = kNr;
  bool reads() const { return true; }

  template <class T>
  void store_as(const float* tile, int64_t m, int64_t n, int64_t row_count,
                int64_t column_count) const {
    for (int64_t r = 0; r < row_count; ++r) {
      T *gate = gate_up.row<T>(m + r) + n, *up = gate + y.cols, *product = y.row<T>(m + r) + n;
      for_vectors(column_count, [&](int64_t c, int64_t lanes) LLMTOOL_INLINE_LAMBDA {
        const Vec z = load_lanes(gate + c, lanes), u = load_lanes(up + c, lanes);
        const Vec d = llmtool::LLMTOOL_ISA_NAMESPACE::load(tile + r * kNr + c);
        const Sigmoid g = sigmoid(z);
        const Vec silu = z * g.value, slope = g.value * fma(z, g.complement, set1(1.0f));
        store_lanes(product + c, silu * u, lanes);
        store_lanes(gate + c, d * u * slope, lanes);
        store_lanes(up + c, d * silu, lanes);
      });
    }
  }
  void store(const float* tile, int64_t m, int64_t n, int64_t row_count,
             int64_t column_count) const {
    y.dtype == DType::kBF16 ? store_as<bf16>(tile, m, n, row_count, column_count)
                            : store_as<float>(tile, m, n, row_count, column_count);
  }
};

template <class Engine>
void linear_swiglu_on(const LinearSwiglu& a, Stream& s) {
  if (passed_down<Engine>(linear_swiglu, a, a.x.dtype, s)) return;
  gemm<Engine, SwigluOfProduct>({{a.x, false}, {a.w, true, a.y.cols, a.packed}, {{a.gate_up, a.y}}},
                                s);
}

template <class Engine>
void linear_swiglu_backward_on(const LinearSwigluBackward& a, Stream& s) {
  if (passed_down<Engine>(linear_swiglu_backward, a, a.dout.dtype, s)) return;
  gemm<Engine, SwigluGradientOfProduct>(
      {{a.dout, false}, {a.w, false, kLanes, a.packed}, {{a.gate_up, a.y}}}, s);
}

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
