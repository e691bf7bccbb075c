// Where an operation runs: the device, its queue, the threads and the level of instructions. There
// is no global device, stream or generator; whoever starts work passes a Stream on.
#pragma once

#include <cstdint>

#include "lib/base/attributes.h"
#include "lib/base/device.h"
#include "lib/base/threads.h"

namespace llmtool {

class Profile;

struct Stream {
  Device device = Device::kCpu;
  Isa isa = Isa::kNone;        // CPU kernels of this level or the nearest one below are used
  ThreadPool* pool = nullptr;  // CPU: never null
  void* handle = nullptr;      // CUDA: cudaStream_t; work is queued, synchronize() waits
  void* context = nullptr;     // CUDA: the device context (workspace, cuBLASLt), see lib/tensor
  Profile* profile = nullptr;  // operations record their time and cost here, if there is one

  int threads() const { return pool->size(); }
  Scratch& scratch() const { return pool->scratch(); }
  template <class F>
  LLMTOOL_INLINE void parallel_for(int64_t n, int64_t grain, F&& f) const {
    pool->parallel_for(n, grain, f);
  }
};

}  // namespace llmtool
