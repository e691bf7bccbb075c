// The head of a language model as one loss: cross_entropy(x w^T, targets) and its gradients, in
// chunks of rows, so that N x V logits never exist. One composition for every device.
#pragma once

#include "kernels/loss/cross_entropy.h"

namespace llmtool {

struct LinearCrossEntropy {
  View loss;               // (N, 1) f32 out
  View x;                  // (N, C) f32 or bf16
  View w;                  // (V, C) dtype of x
  const int32_t* targets;  // (N), in [0, V) or kIgnoredTarget; on the device of x
  View dx = {};            // (N, C) out, dtype of x; empty: forward only
  View dw = {};            // (V, C) f32, in and out; empty: none
  float scale = 1;         // of the gradients, e.g. 1 / number of targets
  View logits;             // (R, V) f32 scratch; R >= 1 rows are worked on at a time
  View dlogits = {};  // (R, V) scratch of dtype of x; may be logits for f32; not for forward only
  // w by pack_linear(), for the product and for the input gradient, on this stream; may be null.
  const void* packed = nullptr;
  const void* packed_gradient = nullptr;

  Cost cost() const;
};

// The rows of scratch to plan for: R x V floats in about 96 MiB, at most n, at least 1. Each chunk
// of rows reads w twice and reads and writes dw once: few rows would wait for memory.
int64_t linear_cross_entropy_rows(int64_t n, int64_t vocab);

void linear_cross_entropy(const LinearCrossEntropy& args, Stream& stream);

}  // namespace llmtool
