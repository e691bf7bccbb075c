#include "kernels/hash/min_hash.h"
#include "kernels/hash/permuted_minimum.h"
#include "lib/base/simd.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

void min_hash_cpu(const MinHash& args, Stream&) {
  PermutedMinimum<kLanes>::run(args);
}

LLMTOOL_KERNEL(min_hash, Device::kCpu, Isa::LLMTOOL_ISA, min_hash_cpu);

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
