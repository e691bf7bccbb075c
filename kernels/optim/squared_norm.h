// out += sum of squares of x, in f64, blocks of fixed size in order: the same bits at any number of
// threads. A NaN or infinity in x makes out not finite.
#pragma once

#include "lib/base/error.h"
#include "lib/base/op.h"
#include "lib/base/view.h"

namespace llmtool {

struct SquaredNorm {
  View out;  // (1, 1) f64, in and out, on the device of x
  View x;    // (1, n) f32

  void validate() const {
    LLMTOOL_ASSERT(out.dtype == DType::kF64 && x.dtype == DType::kF32 && x.rows == 1);
  }

  LLMTOOL_INLINE Cost cost() const {
    return {.flops = 2 * elements_of(x), .read = bytes_of(x), .written = 0};
  }
};
inline constexpr Op<SquaredNorm> squared_norm{"squared_norm"};

}  // namespace llmtool
