// What an operation has to do at least, for benchmarks: a kernel's time is held against it.
//
// Counting rules, for every Args::cost():
// - flops: the arithmetic of the formula in the header; a multiply-add is two, everything else
//   (a sum, a comparison, a division, a square root, an exponential) one. Conversions, packing and
//   addresses are none. Causal attention counts the pairs of query and key that see each other, no
//   others. What is computed again because the arguments leave no other way counts (the weights of
//   attention_backward); what a kernel computes twice for its own reasons does not.
// - read, written: bytes of the views that the operation has to touch, each once, as if caches were
//   large enough for everything inside the call; out of and into memory, as if they held nothing
//   before. Scratch counts none. What is updated in place is read and written.
// - unit: the dtype of the operands of the multiplications, which decides whose peak is the ceiling
//   of the flops.
#pragma once

#include "lib/base/attributes.h"
#include "lib/base/view.h"

namespace llmtool {

struct Cost {
  double flops = 0;
  double read = 0, written = 0;  // bytes
  DType unit = DType::kF32;

  LLMTOOL_INLINE double bytes() const { return read + written; }
};

// Of all elements; an empty view has none.
LLMTOOL_INLINE double bytes_of(const View& v) {
  return v.empty() ? 0.0 : static_cast<double>(v.count() * size_of(v.dtype));
}

LLMTOOL_INLINE double elements_of(const View& v) {
  return v.empty() ? 0.0 : static_cast<double>(v.count());
}

// The flops of an (m, k) by (k, n) product.
LLMTOOL_INLINE double product_flops(int64_t m, int64_t k, int64_t n) {
  return 2.0 * static_cast<double>(m) * static_cast<double>(k) * static_cast<double>(n);
}

}  // namespace llmtool
