// What this machine reaches at most at the stream's level, measured, and what that makes of an
// operation's cost: the roofline (Williams et al. 2009).
#pragma once

#include <cstdint>
#include <vector>

#include "lib/base/cost.h"
#include "lib/base/stream.h"
#include "lib/tensor/arena.h"

namespace llmtool {

// Per second, all threads together; 0 where the level has no such unit.
struct Peaks {
  double f32 = 0;                      // multiply-adds of f32 vectors, flops
  double bf16_dot = 0, bf16_tile = 0;  // VDPBF16PS, AMX TDPBF16PS, flops
  double int8_dot = 0, int8_tile = 0;  // VPDPBUSD, AMX TDPBSSD, operations
  double read = 0;                     // bytes read from memory
  double update = 0;                   // bytes of AdamW's mix: four streams read and written

  // Of multiplications of f32, bf16 or int8 operands: the fastest unit that can do them.
  double flops(DType unit) const;
  // The time that a cost needs at least: for its flops, or for its bytes, whichever is longer. A
  // byte written costs what `update` takes longer than its reads alone would (nothing, where writes
  // pass beside the reads), and no byte is faster than the faster of the two figures.
  double seconds(const Cost& cost) const;
  bool bound_by_memory(const Cost& cost) const;

 private:
  double memory_seconds(const Cost& cost) const;
};

// One measurement of Peaks::flops(unit).
double measure_flops(DType unit, Stream& stream);

// How much of the cores this process has just now, of at most 1: less beside a busy hyperthread.
// AMX tiles tell that; where there are none it cannot be told.
bool tells_share_of_cores(const Stream& stream);
double share_of_cores(Stream& stream);

// Measures one after the other each time it is asked, so that it can take turns with what is held
// against it.
class PeakMeter {
 public:
  // memory_bytes: what the memory figures walk over; larger than the caches.
  PeakMeter(int64_t memory_bytes, Stream& stream);

  void measure();
  Peaks medians() const;

 private:
  Stream* stream_;
  Buffer memory_;
  std::vector<Peaks> rounds_;
};

double median(std::vector<double> values);  // of at least one

}  // namespace llmtool
