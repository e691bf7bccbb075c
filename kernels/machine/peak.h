// What the machine can do at most, measured: independent fused multiply-adds in registers, and
// reads of memory. Benchmarks state their figures as a share of these, taken in the same run.
#pragma once

#include "lib/base/error.h"
#include "lib/base/op.h"

namespace llmtool {

// f32 multiply-adds from registers at this ISA level on every thread of the stream.
struct FmaPeak {
  int64_t iterations;  // of the inner loop, per thread
  double* flops;       // out: operations done, all threads together (a multiply-add is two)

  void validate() const { LLMTOOL_ASSERT(iterations > 0 && flops != nullptr); }
};
inline constexpr Op<FmaPeak> fma_peak{"fma_peak"};

// Reads n floats once, each thread its share; the sum keeps the reads alive.
struct ReadPeak {
  const float* data;  // (n), 64-byte aligned
  int64_t n;
  float* sum;

  void validate() const { LLMTOOL_ASSERT(data != nullptr && sum != nullptr); }
};
inline constexpr Op<ReadPeak> read_peak{"read_peak"};

}  // namespace llmtool
