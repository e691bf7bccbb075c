// Operations on each element by itself. Sums are rounded once to the dtype of y.
#pragma once

#include "lib/base/error.h"
#include "lib/base/op.h"
#include "lib/base/view.h"

namespace llmtool {

// y = a + b.
struct Add {
  View y;  // (N, C) out; may be a or b
  View a;  // (N, C) f32 or bf16
  View b;  // (N, C) like a

  void validate() const { LLMTOOL_ASSERT(alike(y, a) && alike(b, a)); }

  LLMTOOL_INLINE Cost cost() const {
    return {.flops = elements_of(y), .read = bytes_of(a) + bytes_of(b), .written = bytes_of(y)};
  }
};
inline constexpr Op<Add> add{"add"};

// y = x in the dtype of y (f32 or bf16, to nearest even).
struct Convert {
  View y;  // (N, C) out
  View x;  // (N, C)

  void validate() const { LLMTOOL_ASSERT(same_shape(y, x)); }

  LLMTOOL_INLINE Cost cost() const { return {.read = bytes_of(x), .written = bytes_of(y)}; }
};
inline constexpr Op<Convert> convert{"convert"};

}  // namespace llmtool
