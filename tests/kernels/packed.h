// Weights as the level of a stream lays them out.
#pragma once

#include "kernels/matmul/linear.h"
#include "lib/tensor/arena.h"

namespace llmtool::test {

// Of pack_linear() with these arguments, but for `to` and `bytes`; empty where the level takes the
// weights as they lie, and on a GPU.
inline Buffer packed(PackLinear args, Stream& s) {
  if (s.device != Device::kCpu) return {};
  int64_t bytes = 0;
  args.bytes = &bytes;
  pack_linear(args, s);
  if (bytes == 0) return {};
  Buffer memory(Device::kCpu, bytes);
  args.to = memory.data();
  pack_linear(args, s);
  return memory;
}

}  // namespace llmtool::test
