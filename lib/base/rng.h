// Counter-based random numbers: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as
// easy as 1, 2, 3"). A number is a pure function of (seed, stream, index), so the same numbers come
// at any thread count and in any order.
#pragma once

#include <array>
#include <cstdint>

namespace llmtool {

// The raw block function: 4 x 32 random bits for one counter and key.
std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

class Rng {
 public:
  // Streams of one seed are independent; name them by purpose (a hash) and index.
  explicit Rng(uint64_t seed, uint64_t stream = 0) : seed_(seed), stream_(stream) {}

  uint64_t bits(uint64_t index) const;                   // 64 random bits
  double uniform(uint64_t index) const;                  // [0, 1), 53 bits
  double normal(uint64_t index) const;                   // mean 0, variance 1 (Box-Muller)
  uint64_t below(uint64_t index, uint64_t bound) const;  // [0, bound), unbiased to 2^-64 * bound

 private:
  uint64_t seed_;
  uint64_t stream_;
};

// A stream id from a name: FNV-1a, 64 bits.
uint64_t stream_id(const char* name);

}  // namespace llmtool
