#include "lib/corpus/dedup/repeated_hashes.h"

#include <algorithm>

namespace llmtool {
namespace {

constexpr size_t kFirstSlots = 1024;

}  // namespace

RepeatedHashes::RepeatedHashes() : table_(kFirstSlots), repeated_(kFirstSlots) {}

// The last time it grows it is there once whole and once half as large.
size_t RepeatedHashes::bytes_for(uint64_t hashes) {
  const uint64_t slots = std::bit_ceil(std::max<uint64_t>(kFirstSlots, hashes * 4 / 3 + 1));
  return (slots + slots / 2) * sizeof(uint64_t) + slots / 4;
}

void RepeatedHashes::add(std::span<const uint64_t> hashes) {
  constexpr size_t kAhead = 8;
  for (size_t i = 0; i < hashes.size(); ++i) {
    if (i + kAhead < hashes.size()) prefetch(hashes[i + kAhead]);
    if (hashes[i] != 0) add(hashes[i]);
  }
}

void RepeatedHashes::add(uint64_t hash) {
  const size_t slot = table_.find(hash);
  if (table_.at(slot) == 0) {
    if (table_.put(slot, hash)) grow();
    return;
  }
  repeats_ += repeated_[slot] ? 1 : 2;  // the first one, too
  repeated_[slot] = true;
}

void RepeatedHashes::grow() {
  std::vector<bool> repeated(2 * table_.slots());
  table_.grow([&](size_t from, size_t to) { repeated[to] = repeated_[from]; });
  repeated_ = std::move(repeated);
}

void RepeatedHashes::mark(uint64_t hash) {
  const size_t slot = table_.find(hash);
  if (table_.at(slot) == 0 || repeated_[slot]) return;
  repeated_[slot] = true;
  ++repeats_;
}

bool RepeatedHashes::is_repeated(uint64_t hash) const {
  const size_t slot = table_.find(hash);
  return table_.at(slot) != 0 && repeated_[slot];
}

}  // namespace llmtool
