// RMS norm of each row, with the residual sum that precedes it in a transformer block:
//     s = x + residual,  y = s * rstd * w,  rstd = 1 / sqrt(mean(s^2) + eps).
// Zhang & Sennrich 2019, arXiv:1910.07467. Sums are f32 for every dtype; a bf16 s is rounded before
// it is normalised, so that backward sees the same values.
#pragma once

#include "lib/base/error.h"
#include "lib/base/op.h"
#include "lib/base/view.h"

namespace llmtool {

struct RmsNorm {
  View y;              // (N, C) out, dtype of x
  View sum = {};       // (N, C) out, s; may be x or residual itself; only with residual
  View rstd = {};      // (N, 1) out, f32, read by backward; may be empty
  View x;              // (N, C) f32 or bf16
  View residual = {};  // (N, C) like x; empty: s = x
  View w;              // (1, C) dtype of x
  float eps = 1e-5f;

  void validate() const {
    LLMTOOL_ASSERT(alike(y, x) && w.cols == x.cols && w.dtype == x.dtype);
    LLMTOOL_ASSERT(residual.empty() == sum.empty());
    LLMTOOL_ASSERT(residual.empty() || (alike(residual, x) && alike(sum, x)));
    LLMTOOL_ASSERT(rstd.empty() || (rstd.rows == x.rows && rstd.dtype == DType::kF32));
  }

  LLMTOOL_INLINE Cost cost() const {
    return {.flops = elements_of(x) * (residual.empty() ? 4 : 5) + 3 * static_cast<double>(x.rows),
            .read = bytes_of(x) + bytes_of(residual) + bytes_of(w),
            .written = bytes_of(y) + bytes_of(sum) + bytes_of(rstd)};
  }
};
inline constexpr Op<RmsNorm> rms_norm{"rms_norm"};

// With g = dy * w and n = s * rstd:
//     dx = rstd * (g - n * mean(g * n)) + dsum,   dw += sum over rows of dy * n.
struct RmsNormBackward {
  View
      dx;  // (N, C) out, dtype of dy; the gradient of both x and residual; may be dy or dsum itself
  View dw;         // (1, C) f32, in and out; rows are added in order
  View dy;         // (N, C) f32 or bf16
  View dsum = {};  // (N, C) like dy: the gradient that reaches s past the norm; may be empty
  View s;          // (N, C) what was normalised
  View w;          // (1, C)
  View rstd;       // (N, 1) f32, of the forward pass

  void validate() const {
    LLMTOOL_ASSERT(alike(dx, dy) && alike(s, dy) && w.cols == dy.cols && dw.cols == dy.cols);
    LLMTOOL_ASSERT(dw.dtype == DType::kF32 && rstd.rows == dy.rows);
    LLMTOOL_ASSERT(dsum.empty() || alike(dsum, dy));
  }

  LLMTOOL_INLINE Cost cost() const {
    return {.flops = elements_of(dy) * (dsum.empty() ? 9 : 10),
            .read = bytes_of(dy) + bytes_of(dsum) + bytes_of(s) + bytes_of(w) + bytes_of(rstd) +
                    bytes_of(dw),
            .written = bytes_of(dx) + bytes_of(dw)};
  }
};
inline constexpr Op<RmsNormBackward> rms_norm_backward{"rms_norm_backward"};

}  // namespace llmtool
