// The loop around a peak's instructions. For the kernel files of this folder.
#pragma once

#include "kernels/machine/peak.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

// work(iterations) on every thread; `operations` are those of one iteration.
template <class F>
LLMTOOL_INLINE void run_on_all_threads(const RegisterPeak& p, double operations, Stream& s,
                                       F&& work) {
  const int threads = s.threads();
  s.parallel_for(threads, 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t) work(p.iterations);
  });
  *p.operations = operations * static_cast<double>(p.iterations) * threads;
}

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
