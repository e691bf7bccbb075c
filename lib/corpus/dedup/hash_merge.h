// Sorted hashes of a file beside sorted ones that come along.
#pragma once

#include <cstdint>
#include <optional>

#include "lib/base/external_sort.h"

namespace llmtool {

// Reads a file of sorted 64-bit values once, in order.
class SortedHashStream {
 public:
  // An empty path: no hashes.
  explicit SortedHashStream(const fs::path& path);

  bool empty() const { return !run_ || run_->empty(); }
  uint64_t head() const { return run_->head(); }
  void pop() { run_->pop(); }
  // Whether it is there; what is asked for never falls.
  bool contains(uint64_t hash);

 private:
  std::unique_ptr<PositionedFile> file_;
  std::optional<detail::SortedRun<uint64_t>> run_;
};

// Writes the union of sorted hashes, each once.
class HashUnion {
 public:
  // other: a file of sorted hashes, or an empty path.
  HashUnion(AtomicFile& out, const fs::path& other) : out_(out), other_(other) {}
  void add(uint64_t hash);  // never less than the one before
  uint64_t finish();        // how many there are

 private:
  void write(uint64_t hash);

  AtomicFile& out_;
  SortedHashStream other_;
  uint64_t count_ = 0, last_ = 0;
};

}  // namespace llmtool
