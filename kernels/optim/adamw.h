// AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101) with f32 master weights:
//     g' = g * grad_scale, m = b1 m + (1 - b1) g', v = b2 v + (1 - b2) g'^2,
//     master -= lr * (m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps) + weight_decay * master),
// then w = master rounded to the dtype of w, and g = 0 for the next step to add to.
#pragma once

#include "lib/base/error.h"
#include "lib/base/op.h"
#include "lib/base/view.h"

namespace llmtool {

struct AdamW {
  View w;            // (1, n) f32 or bf16 out: what the model computes with; may be master for f32
  View master;       // (1, n) f32, in and out
  View m;            // (1, n) f32, in and out
  View v;            // (1, n) f32, in and out
  View g;            // (1, n) f32, in; out: 0
  int64_t step = 1;  // t, from 1
  float lr = 0;
  float beta1 = 0.9f, beta2 = 0.95f, eps = 1e-8f;
  float weight_decay = 0;
  float grad_scale = 1;  // of clipping

  void validate() const {
    LLMTOOL_ASSERT(same_shape(w, master) && same_shape(m, master) && same_shape(v, master) &&
                   same_shape(g, master) && step >= 1);
  }

  LLMTOOL_INLINE Cost cost() const {
    const double state = bytes_of(master) + bytes_of(m) + bytes_of(v);
    return {.flops = 17 * elements_of(g),
            .read = state + bytes_of(g),
            .written = state + bytes_of(g) + (w.data == master.data ? 0 : bytes_of(w))};
  }
};
inline constexpr Op<AdamW> adamw{"adamw"};

}  // namespace llmtool
