#include "kernels/hash/min_hash.h"

#include "kernels/hash/permuted_minimum.h"

namespace llmtool {

void min_hash_baseline(const MinHash& args) {
  args.validate();
  PermutedMinimum<4>::run(args);
}

}  // namespace llmtool
