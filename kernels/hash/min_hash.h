// The MinHash signature of a set of shingles (Broder 1997, "On the resemblance and containment of
// documents"): for each permutation p of the 32-bit numbers the least image of a shingle's hash,
//     signature[p] = min over i of P_p(hashes[i]),   P_p(h) = mix(a[p] * h + b[p] mod 2^32),
//     mix(x) = (x ^ x >> 15) * 0x2c1b3c6d mod 2^32.
// a[p] is odd: P_p is a bijection. Multiply-add alone would keep the hashes' distances, so that
// permutations with like factors agree too often; mix breaks that.
// The same bits at every level. Runs in the calling thread.
#pragma once

#include <cstdint>

#include "lib/base/error.h"
#include "lib/base/op.h"

namespace llmtool {

struct MinHash {
  uint32_t* signature;     // (permutations) in and out: all ones before the first call
  const uint32_t* hashes;  // (count), in any order
  const uint32_t* a;       // (permutations)
  const uint32_t* b;       // (permutations)
  int64_t count;
  int64_t permutations;  // a multiple of kGrain

  static constexpr int64_t kGrain = 16;

  void validate() const {
    LLMTOOL_ASSERT(permutations > 0 && permutations % kGrain == 0 && count >= 0);
  }
  LLMTOOL_INLINE Cost cost() const {
    const auto p = static_cast<double>(permutations), n = static_cast<double>(count);
    return {.flops = 6 * p * n, .read = 4 * (n + 3 * p), .written = 4 * p};
  }
};
inline constexpr Op<MinHash> min_hash{"min_hash"};

// For a CPU without AVX2, which has no kernels.
void min_hash_baseline(const MinHash& args);

}  // namespace llmtool
