// Which of many 64-bit hashes come more than once, in memory.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lib/corpus/dedup/hash_table.h"

namespace llmtool {

class RepeatedHashes {
 public:
  RepeatedHashes();

  // What so many hashes take at most, while the table grows.
  static size_t bytes_for(uint64_t hashes);

  // 0 is left out.
  void add(std::span<const uint64_t> hashes);
  LLMTOOL_INLINE void prefetch(uint64_t hash) const { table_.prefetch(hash); }
  // If it was added, it counts as repeated from now on.
  void mark(uint64_t hash);
  bool is_repeated(uint64_t hash) const;
  // How many of those added are repeated ones, each time counted.
  uint64_t repeats() const { return repeats_; }

  // The different ones in order; nothing else can be asked any more.
  std::span<const uint64_t> sort() { return table_.sort(); }

 private:
  void add(uint64_t hash);
  void grow();

  HashTable table_;
  std::vector<bool> repeated_;  // by slot
  uint64_t repeats_ = 0;
};

}  // namespace llmtool
