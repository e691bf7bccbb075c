// How many distinct values there are among many, roughly, in 16 KiB: HyperLogLog (Flajolet, Fusy,
// Gandouet, Meunier 2007) with linear counting for few. Standard error 0.81%. The order of the
// values does not matter.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace llmtool {

class DistinctEstimate {
 public:
  void add(uint64_t hash);  // of a good 64-bit hash function
  double count() const;

 private:
  static constexpr int kBits = 14;
  std::array<uint8_t, size_t{1} << kBits> registers_{};
};

}  // namespace llmtool
