// The sets of shingles of documents on the disk, for their true Jaccard similarity.
#pragma once

#include <cstdint>
#include <vector>

#include "lib/base/positioned_file.h"
#include "lib/corpus/step.h"

namespace llmtool {

// Sorted, each once.
void make_set(std::vector<uint32_t>& hashes);

// |a and b| / |a or b|; of two empty sets 1.
double jaccard(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b);

// Two files: the sets one after another (4 bytes a shingle), and where each ends (8 bytes).
class ShingleSets {
 public:
  ShingleSets(const fs::path& sets, const fs::path& ends);

  uint64_t count() const { return count_; }
  void read(uint64_t number, std::vector<uint32_t>& set) const;

 private:
  PositionedFile sets_, ends_;
  uint64_t count_;
};

}  // namespace llmtool
