// SwiGLU (Shazeer 2020, arXiv:2002.05202): y = silu(gate) * up, silu(z) = z / (1 + exp(-z)).
// Computed in f32 for every dtype.
#pragma once

#include "lib/base/error.h"
#include "lib/base/op.h"
#include "lib/base/view.h"

namespace llmtool {

struct Swiglu {
  View y;     // (N, F) out
  View gate;  // (N, F) f32 or bf16
  View up;    // (N, F) like gate

  void validate() const { LLMTOOL_ASSERT(alike(y, gate) && alike(up, gate)); }
};
inline constexpr Op<Swiglu> swiglu{"swiglu"};

struct SwigluBackward {
  View dgate;  // (N, F) out; may be gate itself
  View dup;    // (N, F) out; may be up itself
  View y =
      {};     // (N, F) out: silu(gate) * up again, for the weight gradient; may be empty, may be dy
  View dy;    // (N, F)
  View gate;  // (N, F)
  View up;    // (N, F)

  void validate() const {
    LLMTOOL_ASSERT(alike(dgate, gate) && alike(dup, gate) && alike(dy, gate) && alike(up, gate));
    LLMTOOL_ASSERT(y.empty() || alike(y, gate));
  }
};
inline constexpr Op<SwigluBackward> swiglu_backward{"swiglu_backward"};

}  // namespace llmtool
