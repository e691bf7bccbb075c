// The gated half of a Llama MLP: SwiGLU (Shazeer 2020, arXiv:2002.05202) of the two products gate =
// x w_gate^T and up = x w_up^T, y = silu(gate) * up with silu(z) = z / (1 + exp(-z)), and its
// gradient behind the input gradient of the linear layer that follows. SwiGLU is computed in f32 as
// each piece of a product is finished; sums are those of kernels/matmul/linear.h, row by row alike.
#pragma once

#include "lib/base/error.h"
#include "lib/base/op.h"
#include "lib/base/view.h"

namespace llmtool {

struct LinearSwiglu {
  View y;                        // (M, F) out, dtype of x
  View gate_up;                  // (M, 2F) out: gate and up side by side, dtype of x
  View x;                        // (M, K) f32 or bf16
  View w;                        // (2F, K) dtype of x: w_gate above w_up
  const void* packed = nullptr;  // w as pack_linear() laid it out, gated; may be null

  void validate() const {
    LLMTOOL_ASSERT(y.rows == x.rows && gate_up.rows == x.rows && gate_up.cols == 2 * y.cols);
    LLMTOOL_ASSERT(w.rows == gate_up.cols && w.cols == x.cols);
    LLMTOOL_ASSERT(y.dtype == x.dtype && gate_up.dtype == x.dtype && w.dtype == x.dtype);
  }

  LLMTOOL_INLINE Cost cost() const {
    return {.flops = product_flops(x.rows, x.cols, w.rows) + 5 * elements_of(y),
            .read = bytes_of(x) + bytes_of(w),
            .written = bytes_of(gate_up) + bytes_of(y),
            .unit = x.dtype};
  }
};
inline constexpr Op<LinearSwiglu> linear_swiglu{"linear_swiglu"};

// For out = y w^T with y = silu(gate) * up: from dout the gradients of gate and up, and y again for
// the gradient of w.
struct LinearSwigluBackward {
  View gate_up;                  // (M, 2F) in: gate and up; out: their gradients
  View y;                        // (M, F) out
  View dout;                     // (M, N) f32 or bf16, as all of them
  View w;                        // (N, F)
  const void* packed = nullptr;  // w by pack_linear() for input gradients, on this stream, or null

  void validate() const {
    LLMTOOL_ASSERT(y.rows == dout.rows && gate_up.rows == dout.rows && gate_up.cols == 2 * y.cols);
    LLMTOOL_ASSERT(w.rows == dout.cols && w.cols == y.cols);
    LLMTOOL_ASSERT(y.dtype == dout.dtype && gate_up.dtype == dout.dtype && w.dtype == dout.dtype);
  }

  // The product, and SwiGLU's gradient with y.
  LLMTOOL_INLINE Cost cost() const {
    return {.flops = product_flops(dout.rows, dout.cols, w.cols) + 12 * elements_of(y),
            .read = bytes_of(dout) + bytes_of(w) + bytes_of(gate_up),
            .written = bytes_of(gate_up) + bytes_of(y),
            .unit = dout.dtype};
  }
};
inline constexpr Op<LinearSwigluBackward> linear_swiglu_backward{"linear_swiglu_backward"};

}  // namespace llmtool
