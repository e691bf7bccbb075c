// A linear layer and the two gradients of it: the three forms of matmul that training
// needs. Weights are (N, K) row-major, as they lie in a safetensors file. Sums are f32 for every
// dtype, over the inner dimension in one fixed order that does not depend on the number of rows,
// the threads, or the chunk: row i of a call with M rows has the bits of a call with that row
// alone.
#pragma once

#include "lib/base/error.h"
#include "lib/base/op.h"
#include "lib/base/view.h"

namespace llmtool {

// w once more, laid out as the products of the stream's CPU level read it, for weights that serve
// more than one product: without it each lays out what it reads of w. Asked with `to` null it only
// tells how much memory that takes; 0 bytes: w as it lies serves this level as well.
struct PackLinear {
  View w;                       // (N, K) f32 or bf16
  bool gated = false;           // for linear_swiglu, whose w is two matrices
  bool input_gradient = false;  // for linear_input_gradient and linear_swiglu_backward; not gated
  void* to = nullptr;           // 64-byte aligned
  int64_t* bytes = nullptr;     // out, not null

  void validate() const {
    LLMTOOL_ASSERT(bytes != nullptr && (!gated || (w.rows % 2 == 0 && !input_gradient)));
  }
  LLMTOOL_INLINE Cost cost() const { return {.read = bytes_of(w), .written = bytes_of(w)}; }
};
inline constexpr Op<PackLinear> pack_linear{"pack_linear"};

// y = x w^T [+ bias] [+ residual], or y += x w^T with accumulate: there and in the gradients the
// sum over the inner dimension is finished first, and added once.
struct Linear {
  View y;                        // (M, N) out; f32, or the dtype of x
  View x;                        // (M, K) f32 or bf16
  View w;                        // (N, K) dtype of x
  View bias = {};                // (1, N) dtype of y; may be empty
  View residual = {};            // (M, N) like y, may be y itself; may be empty
  bool accumulate = false;       // not together with bias or residual
  const void* packed = nullptr;  // w as pack_linear() laid it out on this stream; may be null

  void validate() const {
    LLMTOOL_ASSERT(y.rows == x.rows && y.cols == w.rows && x.cols == w.cols && x.dtype == w.dtype);
    LLMTOOL_ASSERT(y.dtype == x.dtype || y.dtype == DType::kF32);
    LLMTOOL_ASSERT(bias.empty() ||
                   (bias.rows == 1 && bias.cols == y.cols && bias.dtype == y.dtype && !accumulate));
    LLMTOOL_ASSERT(residual.empty() || (alike(residual, y) && !accumulate));
  }

  LLMTOOL_INLINE Cost cost() const {
    const double added = accumulate ? bytes_of(y) : bytes_of(residual);
    const double sums = (added > 0 ? 1 : 0) + (bias.empty() ? 0 : 1);
    return {.flops = product_flops(x.rows, x.cols, w.rows) + sums * elements_of(y),
            .read = bytes_of(x) + bytes_of(w) + bytes_of(bias) + added,
            .written = bytes_of(y),
            .unit = x.dtype};
  }
};
inline constexpr Op<Linear> linear{"linear"};

// dx = dy w, or dx += dy w with accumulate.
struct LinearInputGradient {
  View dx;  // (M, K) out; f32, or the dtype of dy
  View dy;  // (M, N) f32 or bf16
  View w;   // (N, K) dtype of dy
  bool accumulate = false;
  const void* packed = nullptr;  // w by pack_linear() for input gradients, on this stream, or null

  void validate() const {
    LLMTOOL_ASSERT(dx.rows == dy.rows && dy.cols == w.rows && dx.cols == w.cols);
    LLMTOOL_ASSERT(dy.dtype == w.dtype && (dx.dtype == dy.dtype || dx.dtype == DType::kF32));
  }

  LLMTOOL_INLINE Cost cost() const {
    const double added = accumulate ? elements_of(dx) : 0;
    return {.flops = product_flops(dy.rows, dy.cols, w.cols) + added,
            .read = bytes_of(dy) + bytes_of(w) + (accumulate ? bytes_of(dx) : 0),
            .written = bytes_of(dx),
            .unit = dy.dtype};
  }
};
inline constexpr Op<LinearInputGradient> linear_input_gradient{"linear_input_gradient"};

// dw = dy^T x, or dw += dy^T x with accumulate.
struct LinearWeightGradient {
  View dw;  // (N, K) f32
  View dy;  // (M, N) f32 or bf16
  View x;   // (M, K) dtype of dy
  bool accumulate = true;

  void validate() const {
    LLMTOOL_ASSERT(dw.rows == dy.cols && dw.cols == x.cols && dy.rows == x.rows);
    LLMTOOL_ASSERT(dy.dtype == x.dtype && dw.dtype == DType::kF32);
  }

  LLMTOOL_INLINE Cost cost() const {
    const double added = accumulate ? elements_of(dw) : 0;
    return {.flops = product_flops(dy.rows, dy.cols, x.cols) + added,
            .read = bytes_of(dy) + bytes_of(x) + (accumulate ? bytes_of(dw) : 0),
            .written = bytes_of(dw),
            .unit = dy.dtype};
  }
};
inline constexpr Op<LinearWeightGradient> linear_weight_gradient{"linear_weight_gradient"};

}  // namespace llmtool
