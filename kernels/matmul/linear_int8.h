// A linear layer on 8-bit integers, for inference: symmetric scales, one a row of the activations
// and one a row of the weights (LLM.int8(), Dettmers et al. 2022, arXiv:2208.07339, without its
// outlier columns). The sums are exact integers, so a row's bits depend on nothing else.
#pragma once

#include "lib/base/error.h"
#include "lib/base/op.h"
#include "lib/base/view.h"

namespace llmtool {

// q = round(x / scale) with scale = max |x| of the row / 127, to nearest even: every q in [-127,
// 127]. A row of zeros, or of
// numbers below 1e-35, has scale 0. NaN and infinities are not looked for: such a row is garbage.
struct QuantizeRows {
  View q;      // (M, K) i8 out
  View scale;  // (M, 1) f32 out
  View x;      // (M, K) f32 or bf16

  void validate() const {
    LLMTOOL_ASSERT(same_shape(q, x) && q.dtype == DType::kI8 && is_float(x.dtype));
    LLMTOOL_ASSERT(scale.rows == x.rows && scale.cols == 1 && scale.dtype == DType::kF32);
  }

  // The magnitude and the maximum; the product and the rounding.
  LLMTOOL_INLINE Cost cost() const {
    return {
        .flops = 4 * elements_of(x), .read = bytes_of(x), .written = bytes_of(q) + bytes_of(scale)};
  }
};
inline constexpr Op<QuantizeRows> quantize_rows{"quantize_rows"};

// w once more, as pack_linear() does it.
struct PackLinearInt8 {
  View w;              // (N, K) i8
  void* to = nullptr;  // 64-byte aligned; null: only tells the size
  int64_t* bytes;      // out

  void validate() const { LLMTOOL_ASSERT(bytes != nullptr && w.dtype == DType::kI8); }
  LLMTOOL_INLINE Cost cost() const { return {.read = bytes_of(w), .written = bytes_of(w)}; }
};
inline constexpr Op<PackLinearInt8> pack_linear_int8{"pack_linear_int8"};

// y = (x_scale[m] * w_scale[n]) * sum of x w [+ bias] [+ residual], in f32 from the integer sum on.
struct LinearInt8 {
  View y;                        // (M, N) out, f32 or bf16
  View x;                        // (M, K) i8, in [-127, 127]; K <= 131072
  View x_scale;                  // (M, 1) f32
  View w;                        // (N, K) i8, in [-127, 127]
  View w_scale;                  // (N, 1) f32
  View bias = {};                // (1, N) f32 or bf16; may be empty
  View residual = {};            // (M, N) like y, may be y itself; may be empty
  const void* packed = nullptr;  // w by pack_linear_int8() on this stream; may be null

  void validate() const {
    LLMTOOL_ASSERT(y.rows == x.rows && y.cols == w.rows && x.cols == w.cols && x.cols <= 131072);
    LLMTOOL_ASSERT(x.dtype == DType::kI8 && w.dtype == DType::kI8);
    LLMTOOL_ASSERT(x_scale.rows == x.rows && w_scale.rows == w.rows);
    LLMTOOL_ASSERT(x_scale.dtype == DType::kF32 && w_scale.dtype == DType::kF32);
    LLMTOOL_ASSERT(w_scale.stride == 1 || w_scale.rows <= 1);
    LLMTOOL_ASSERT(is_float(y.dtype));
    LLMTOOL_ASSERT(bias.empty() || (bias.rows == 1 && bias.cols == y.cols && is_float(bias.dtype)));
    LLMTOOL_ASSERT(residual.empty() || alike(residual, y));
  }

  LLMTOOL_INLINE Cost cost() const {
    const double sums = (residual.empty() ? 0 : 1) + (bias.empty() ? 0 : 1);
    return {.flops = product_flops(x.rows, x.cols, w.rows) + (2 + sums) * elements_of(y),
            .read = bytes_of(x) + bytes_of(x_scale) + bytes_of(w) + bytes_of(w_scale) +
                    bytes_of(bias) + bytes_of(residual),
            .written = bytes_of(y),
            .unit = DType::kI8};
  }
};
inline constexpr Op<LinearInt8> linear_int8{"linear_int8"};

}  // namespace llmtool
