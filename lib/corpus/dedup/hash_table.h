// A table of 64-bit hashes other than 0 with open addressing. A hash stands near the place that its
// leading bits, mixed, tell: so a larger table has the hashes in the same order, and is filled from
// one end to the other.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "lib/base/attributes.h"
#include "lib/base/external_sort.h"
#include "lib/base/huge_memory.h"

namespace llmtool {

// A bijection that spreads what differs in few bits.
inline uint64_t mixed_hash(uint64_t x) {
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93;
  x ^= x >> 32;
  return x;
}

class HashTable {
 public:
  // slots: a power of two, at least 2.
  explicit HashTable(size_t slots) { clear(slots); }

  size_t slots() const { return slots_.size(); }
  size_t size() const { return used_; }
  uint64_t at(size_t slot) const { return slots_[slot]; }  // 0: nothing

  // Always inline: a call of a function that does nothing else is taken for one without effect.
  LLMTOOL_INLINE void prefetch(uint64_t hash) const { __builtin_prefetch(&slots_[home(hash)], 1); }

  // Where the hash is, or the empty slot where it belongs.
  size_t find(uint64_t hash) const {
    const size_t mask = slots_.size() - 1;
    size_t slot = home(hash);
    while (slots_[slot] != 0 && slots_[slot] != hash) slot = (slot + 1) & mask;
    return slot;
  }
  // Into a slot that find() gave. True if the table is full now: it has to grow.
  bool put(size_t slot, uint64_t hash) {
    slots_[slot] = hash;
    return ++used_ * 4 >= slots_.size() * 3;
  }

  // Twice the slots; moved(from, to) tells of each hash where it was and where it is.
  template <class F>
  void grow(F&& moved) {
    const HugeMemory memory = std::move(memory_);
    const std::span<const uint64_t> old = memory.words();
    const size_t used = used_;
    clear(old.size() * 2);
    for (size_t from = 0; from < old.size(); ++from) {
      if (old[from] == 0) continue;
      const size_t to = find(old[from]);
      slots_[to] = old[from];
      moved(from, to);
    }
    used_ = used;
  }

  // All hashes in order of their values; the table is good for nothing then but clear().
  std::span<const uint64_t> sort() {
    uint64_t* const end = std::remove(slots_.data(), slots_.data() + slots_.size(), uint64_t{0});
    detail::sort_records(slots_.data(), end);
    return {slots_.data(), end};
  }

  // Empty, with so many slots.
  void clear(size_t slots) {
    memory_ = {};
    memory_ = HugeMemory(slots * sizeof(uint64_t));
    slots_ = memory_.words();
    shift_ = 64 - std::countr_zero(slots);
    used_ = 0;
  }

 private:
  LLMTOOL_INLINE size_t home(uint64_t hash) const { return mixed_hash(hash) >> shift_; }

  HugeMemory memory_;
  std::span<uint64_t> slots_;
  int shift_ = 0;
  size_t used_ = 0;
};

}  // namespace llmtool
