#include "lib/corpus/dedup/shingle_sets.h"

#include <algorithm>

#include "lib/base/error.h"

namespace llmtool {

void make_set(std::vector<uint32_t>& hashes) {
  std::sort(hashes.begin(), hashes.end());
  hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
}

double jaccard(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b) {
  if (a.empty() && b.empty()) return 1;
  size_t common = 0;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const uint32_t x = a[i], y = b[j];
    common += x == y;
    i += x <= y;
    j += y <= x;
  }
  return static_cast<double>(common) / static_cast<double>(a.size() + b.size() - common);
}

ShingleSets::ShingleSets(const fs::path& sets, const fs::path& ends)
    : sets_(PositionedFile::open(sets)),
      ends_(PositionedFile::open(ends)),
      count_(ends_.size() / sizeof(uint64_t)) {}

void ShingleSets::read(uint64_t number, std::vector<uint32_t>& set) const {
  LLMTOOL_ASSERT(number < count_);
  uint64_t bounds[2] = {0, 0};
  if (number == 0) {
    ends_.read(0, &bounds[1], sizeof(uint64_t));
  } else {
    ends_.read((number - 1) * sizeof(uint64_t), bounds, sizeof bounds);
  }
  set.resize(bounds[1] - bounds[0]);
  sets_.read(bounds[0] * sizeof(uint32_t), set.data(), set.size() * sizeof(uint32_t));
}

}  // namespace llmtool
