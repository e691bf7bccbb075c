// Softmax cross-entropy of rows of logits, and its gradient in place:
//     loss[n] = logsumexp(logits[n]) - logits[n][target],
//     logits[n] <- (softmax(logits[n]) - onehot(target)) * scale    with gradient.
// Rows whose target is kIgnoredTarget have loss 0 and gradient 0. Sums are f32 in a fixed order.
#pragma once

#include "lib/base/error.h"
#include "lib/base/op.h"
#include "lib/base/view.h"

namespace llmtool {

inline constexpr int32_t kIgnoredTarget = -100;

struct CrossEntropy {
  View loss;          // (N, 1) f32 out
  View logits;        // (N, V) f32, in; out with gradient
  View dlogits = {};  // (N, V) f32 or bf16: where the gradient goes; may be logits; empty: none
  const int32_t* targets;  // (N), in [0, V) or kIgnoredTarget
  float scale = 1;         // of the gradient

  void validate() const {
    LLMTOOL_ASSERT(loss.rows == logits.rows && loss.dtype == DType::kF32);
    LLMTOOL_ASSERT(logits.dtype == DType::kF32);
    LLMTOOL_ASSERT(dlogits.empty() || same_shape(dlogits, logits));
  }

  // The maximum, the difference, the exponential, the sum; two more for the gradient.
  LLMTOOL_INLINE Cost cost() const {
    return {.flops = elements_of(logits) * (dlogits.empty() ? 4 : 6),
            .read = bytes_of(logits) + 4 * static_cast<double>(logits.rows),
            .written = bytes_of(loss) + bytes_of(dlogits)};
  }
};
inline constexpr Op<CrossEntropy> cross_entropy{"cross_entropy"};

}  // namespace llmtool
