// Sequences of fixed-size items in a temporary file without a name: many are written at a time,
// each from its first item to its last, and read as often as wanted. A full disk is Fault::kIo.
#pragma once

#include <algorithm>
#include <atomic>
#include <span>
#include <type_traits>
#include <vector>

#include "lib/base/positioned_file.h"

namespace llmtool {

// The file is given out in extents; safe from several threads.
class SpillFile {
 public:
  SpillFile(const fs::path& folder, size_t extent_bytes)
      : file_(PositionedFile::temporary(folder)), extent_bytes_(extent_bytes) {}

  uint64_t take_extent() { return next_.fetch_add(extent_bytes_); }
  size_t extent_bytes() const { return extent_bytes_; }
  PositionedFile& file() { return file_; }
  const PositionedFile& file() const { return file_; }

 private:
  PositionedFile file_;
  size_t extent_bytes_;
  std::atomic<uint64_t> next_{0};
};

// Where the items of one sequence lie.
struct SpillSequence {
  std::vector<uint64_t> extents;
  uint64_t size = 0;
};

template <class Item>
class SpillWriter {
  static_assert(std::is_trivially_copyable_v<Item>);

 public:
  SpillWriter(SpillFile& file, SpillSequence& sequence)
      : file_(&file), sequence_(&sequence), most_(file.extent_bytes() / sizeof(Item)) {}

  void push(const Item& item) {
    if (items_.size() == most_) flush();
    items_.push_back(item);
    ++sequence_->size;
  }
  // Nothing may be pushed after it.
  void finish() {
    if (!items_.empty()) flush();
    items_ = {};
  }

 private:
  void flush() {
    sequence_->extents.push_back(file_->take_extent());
    file_->file().write(sequence_->extents.back(), items_.data(), items_.size() * sizeof(Item));
    items_.clear();
  }

  SpillFile* file_;
  SpillSequence* sequence_;
  size_t most_;
  std::vector<Item> items_;
};

template <class Item>
class SpillReader {
 public:
  SpillReader(const SpillFile& file, const SpillSequence& sequence, uint64_t begin = 0)
      : file_(&file),
        sequence_(&sequence),
        per_extent_(file.extent_bytes() / sizeof(Item)),
        next_(begin) {}

  bool empty() const { return at_ == items_.size() && next_ == sequence_->size; }
  const Item& head() {
    if (at_ == items_.size()) refill();
    return items_[at_];
  }
  Item next() {
    if (at_ == items_.size()) refill();
    return items_[at_++];
  }

 private:
  void refill() {
    const uint64_t extent = next_ / per_extent_, inside = next_ % per_extent_;
    const uint64_t count = std::min(per_extent_ - inside, sequence_->size - next_);
    items_.resize(count);
    file_->file().read(sequence_->extents[extent] + inside * sizeof(Item), items_.data(),
                       count * sizeof(Item));
    next_ += count;
    at_ = 0;
  }

  const SpillFile* file_;
  const SpillSequence* sequence_;
  uint64_t per_extent_;
  uint64_t next_;  // of the sequence, behind those in items_
  std::vector<Item> items_;
  size_t at_ = 0;
};

// An array in a file, filled and read in pieces that go upwards.
template <class Item>
class ArrayWriter {
 public:
  ArrayWriter(PositionedFile& file, uint64_t begin, size_t buffer_items)
      : file_(&file), next_(begin), most_(buffer_items) {}

  void push(Item item) {
    if (items_.size() == most_) finish();
    items_.push_back(item);
  }
  void finish() {
    file_->write(next_ * sizeof(Item), items_.data(), items_.size() * sizeof(Item));
    next_ += items_.size();
    items_.clear();
  }

 private:
  PositionedFile* file_;
  uint64_t next_;
  size_t most_;
  std::vector<Item> items_;
};

template <class Item>
class ArrayReader {
 public:
  // Items [begin, end) of the file.
  ArrayReader(const PositionedFile& file, uint64_t begin, uint64_t end, size_t buffer_items)
      : file_(&file), next_(begin), end_(end), most_(buffer_items) {}

  Item next() {
    if (at_ == items_.size()) refill();
    return items_[at_++];
  }

 private:
  void refill() {
    items_.resize(std::min<uint64_t>(most_, end_ - next_));
    file_->read(next_ * sizeof(Item), items_.data(), items_.size() * sizeof(Item));
    next_ += items_.size();
    at_ = 0;
  }

  const PositionedFile* file_;
  uint64_t next_, end_;
  size_t most_;
  std::vector<Item> items_;
  size_t at_ = 0;
};

}  // namespace llmtool
