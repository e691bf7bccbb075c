// A set of 64-bit hashes in bounded memory: a table in memory and, when that is full, sorted runs
// on the disk, each with a filter (a blocked Bloom filter) in what memory is left. Whatever the
// memory, the answers are the same.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "lib/base/positioned_file.h"
#include "lib/corpus/dedup/hash_table.h"

namespace llmtool {

// Sorted 64-bit values in a file, from byte `offset` on.
class SortedHashes {
 public:
  // filter_bytes 0: no filter.
  SortedHashes(std::shared_ptr<const PositionedFile> file, uint64_t offset, uint64_t count,
               size_t filter_bytes);

  bool contains(uint64_t hash) const;
  uint64_t count() const { return count_; }
  uint64_t offset() const { return offset_; }
  size_t filter_bytes() const { return filter_.size() * sizeof(uint64_t); }
  const PositionedFile& file() const { return *file_; }

 private:
  void fill_filter();
  bool may_contain(uint64_t hash) const;
  bool search(uint64_t hash) const;

  std::shared_ptr<const PositionedFile> file_;
  uint64_t offset_, count_;
  std::vector<uint64_t> filter_;
};

class SeenSet {
 public:
  // folder: for temporary files without a name. memory: bytes, all in all; at least kLeastMemory is
  // taken.
  SeenSet(fs::path folder, size_t memory);
  ~SeenSet();

  static constexpr size_t kLeastMemory = 4096;

  // True if the hash was not in the set; it is now.
  bool insert(uint64_t hash);
  void insert(std::span<const uint64_t> hashes);
  bool contains(uint64_t hash) const;
  // The cache line that insert() will touch.
  LLMTOOL_INLINE void prefetch(uint64_t hash) const { table_.prefetch(hash); }
  // Sorted hashes of a file that are members from now on; the file stays as it is.
  void add_sorted(std::shared_ptr<const PositionedFile> file, uint64_t offset, uint64_t count);

 private:
  bool in_runs(uint64_t hash) const;
  void make_room();
  void spill();
  void merge_level(size_t level);
  size_t filter_room(uint64_t count) const;

  fs::path folder_;
  size_t memory_, most_slots_;
  HashTable table_;
  bool has_zero_ = false;
  std::vector<SortedHashes> given_;
  std::vector<std::vector<SortedHashes>> levels_;  // a level's runs are merged into one of the next
};

}  // namespace llmtool
