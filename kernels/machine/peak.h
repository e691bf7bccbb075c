// What the machine can do at most, measured: multiply-adds in registers, and memory.
// Benchmarks state their figures as a share of these, taken in the same run.
#pragma once

#include "lib/base/error.h"
#include "lib/base/op.h"

namespace llmtool {

// Multiply-adds from registers on every thread of the stream.
struct RegisterPeak {
  int64_t iterations;  // of the inner loop (some tens of cycles), per thread
  double* operations;  // out: done by all threads together (a multiply-add is two)

  void validate() const { LLMTOOL_ASSERT(iterations > 0 && operations != nullptr); }
  LLMTOOL_INLINE Cost cost() const { return {}; }  // the kernel says what it did
};
inline constexpr Op<RegisterPeak> f32_peak{"f32_peak"};              // vectors of the level
inline constexpr Op<RegisterPeak> bf16_dot_peak{"bf16_dot_peak"};    // VDPBF16PS
inline constexpr Op<RegisterPeak> int8_dot_peak{"int8_dot_peak"};    // VPDPBUSD (VNNI)
inline constexpr Op<RegisterPeak> bf16_tile_peak{"bf16_tile_peak"};  // TDPBF16PS
inline constexpr Op<RegisterPeak> int8_tile_peak{"int8_tile_peak"};  // TDPBSSD
// TDPBF16PS with all eight tile registers filled. They are renamed onto registers that the
// hyperthreads of a core share: as fast as bf16_tile_peak alone on a core, and less than half so
// beside a busy neighbour.
inline constexpr Op<RegisterPeak> bf16_full_tiles_peak{"bf16_full_tiles_peak"};

// Reads n floats once, each thread its share; the sum keeps the reads alive.
struct ReadPeak {
  const float* data;  // (n), 64-byte aligned
  int64_t n;
  float* sum;

  void validate() const { LLMTOOL_ASSERT(data != nullptr && sum != nullptr); }
  LLMTOOL_INLINE Cost cost() const { return {.read = 4.0 * static_cast<double>(n)}; }
};
inline constexpr Op<ReadPeak> read_peak{"read_peak"};

// The traffic of AdamW without its arithmetic: a += g, b += g, c += g, g = 0, four streams read
// and written back where they lie.
struct UpdatePeak {
  float* a;  // (n), 64-byte aligned, like the others
  float* b;  // (n)
  float* c;  // (n)
  float* g;  // (n)
  int64_t n;

  void validate() const {
    LLMTOOL_ASSERT(a != nullptr && b != nullptr && c != nullptr && g != nullptr);
  }
  LLMTOOL_INLINE Cost cost() const {
    const auto stream = 4.0 * static_cast<double>(n);
    return {.flops = 3.0 * static_cast<double>(n), .read = 4 * stream, .written = 4 * stream};
  }
};
inline constexpr Op<UpdatePeak> update_peak{"update_peak"};

}  // namespace llmtool
