// MinHash signatures and the keys of their bands.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lib/base/op.h"

namespace llmtool {

// Signatures of bands x rows numbers. The factors and summands of the permutations (see
// kernels/hash/min_hash.h) come from Philox(seed). The same values on every CPU. Used by several
// threads at a time.
class MinHasher {
 public:
  MinHasher(int bands, int rows, uint64_t seed);

  int bands() const { return bands_; }
  int rows() const { return rows_; }
  // Replaces `signature` by that of these hashes, which are not none.
  void sign(std::span<const uint32_t> hashes, std::vector<uint32_t>& signature) const;
  // One key a band: XXH3, 64 bits, of its rows, seeded with its number.
  void append_keys(const std::vector<uint32_t>& signature, std::vector<uint64_t>& keys) const;

 private:
  int bands_, rows_;
  std::vector<uint32_t> a_, b_;
  const KernelEntry* kernel_ = nullptr;  // null on a CPU without AVX2
};

}  // namespace llmtool
