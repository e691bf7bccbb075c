#include "lib/corpus/distinct_estimate.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace llmtool {

void DistinctEstimate::add(uint64_t hash) {
  const size_t place = hash >> (64 - kBits);
  const uint64_t rest = hash << kBits | uint64_t{1} << (kBits - 1);
  const auto rank = static_cast<uint8_t>(std::countl_zero(rest) + 1);
  registers_[place] = std::max(registers_[place], rank);
}

double DistinctEstimate::count() const {
  const double m = static_cast<double>(registers_.size());
  double sum = 0;
  size_t zeros = 0;
  for (const uint8_t r : registers_) {
    sum += std::ldexp(1.0, -r);
    zeros += r == 0;
  }
  const double alpha = 0.7213 / (1 + 1.079 / m);
  const double estimate = alpha * m * m / sum;
  if (estimate > 2.5 * m || zeros == 0) return estimate;
  return m * std::log(m / static_cast<double>(zeros));
}

}  // namespace llmtool
