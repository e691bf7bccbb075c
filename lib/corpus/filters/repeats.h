// Counting what is repeated in a text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/corpus/filters/words.h"

namespace llmtool {

// 64 bits that stand for the text; never 0.
uint64_t hash_of(std::string_view text);

// A set of hashes, by open addressing in memory that is used again.
class KeySet {
 public:
  // Empty, with room for so many.
  void clear(size_t keys);

  // False if it was there. key: not 0.
  bool insert(uint64_t key) {
    for (size_t at = key & mask_;; at = (at + 1) & mask_) {
      if (slots_[at] == key) return false;
      if (slots_[at] == 0) {
        slots_[at] = key;
        return true;
      }
    }
  }

 private:
  std::vector<uint64_t> slots_;
  size_t mask_ = 0;
};

// The same, with how often each was added.
class KeyCounts {
 public:
  struct Slot {
    uint64_t key = 0;
    uint32_t count = 0;
    uint32_t first = 0;  // what was given when it was added first
  };

  void clear(size_t keys);

  // key: not 0.
  Slot& add(uint64_t key, uint32_t index) {
    for (size_t at = key & mask_;; at = (at + 1) & mask_) {
      Slot& slot = slots_[at];
      if (slot.key == key) {
        ++slot.count;
        return slot;
      }
      if (slot.key == 0) {
        slot = {key, 1, index};
        return slot;
      }
    }
  }

  // How often a key was added.
  uint32_t count(uint64_t key) const {
    for (size_t at = key & mask_;; at = (at + 1) & mask_) {
      if (slots_[at].key == key) return slots_[at].count;
      if (slots_[at].key == 0) return 0;
    }
  }

 private:
  std::vector<Slot> slots_;
  size_t mask_ = 0;
};

// Runs of words of one text.
class WordRuns {
 public:
  void reset(std::string_view text, const std::vector<Word>& words);

  size_t words() const { return hashes_.size(); }
  // Tells the words of a run apart: `n` words from `first` on; 1 <= n <= kLongest. Never 0.
  static constexpr size_t kLongest = 10;
  uint64_t hash(size_t first, size_t n) const;
  // Their bytes one after another.
  std::string_view joined(size_t first, size_t n) const {
    return std::string_view(joined_).substr(begins_[first], begins_[first + n] - begins_[first]);
  }
  // Their code points.
  uint64_t characters(size_t first, size_t n) const {
    return characters_[first + n] - characters_[first];
  }
  uint64_t characters_of_all() const { return characters_.back(); }

 private:
  std::vector<uint64_t> hashes_;
  std::string joined_;
  std::vector<uint32_t> begins_;      // of each word in joined_, and its end
  std::vector<uint64_t> characters_;  // of the words before i
};

}  // namespace llmtool
