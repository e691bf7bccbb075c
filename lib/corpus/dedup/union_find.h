// Sets that are joined. 4 bytes and a bit an element.
#pragma once

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace llmtool {

class UnionFind {
 public:
  explicit UnionFind(uint32_t count) : parent_(count), has_others_(count) {
    std::iota(parent_.begin(), parent_.end(), 0u);
  }

  static uint64_t bytes_for(uint64_t count) { return count * sizeof(uint32_t) + count / 8; }

  // The least member of the set.
  uint32_t find(uint32_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(uint32_t a, uint32_t b) {
    a = find(a);
    b = find(b);
    if (a == b) return;
    if (a > b) std::swap(a, b);
    parent_[b] = a;
    has_others_[a] = true;
  }
  // Whether the set of i has another member.
  bool is_joined(uint32_t i) const { return parent_[i] != i || has_others_[i]; }

 private:
  std::vector<uint32_t> parent_;
  std::vector<bool> has_others_;
};

}  // namespace llmtool
