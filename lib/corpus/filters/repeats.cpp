#include "lib/corpus/filters/repeats.h"

#define XXH_INLINE_ALL
#include <algorithm>
#include <array>
#include <bit>
#include <xxhash.h>

namespace llmtool {
namespace {

// Odd numbers without a pattern, one for each place in a run.
constexpr uint64_t kPlaces[WordRuns::kLongest] = {
    0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f, 0x165667b19e3779f9, 0x27d4eb2f165667c5,
    0xd6e8feb86659fd93, 0xa0761d6478bd642f, 0xe7037ed1a0b428db, 0x8ebc6af09c88c6e3,
    0x589965cc75374cc3, 0x1d8e4e27c47d124f};

size_t slots_for(size_t keys) {
  return std::bit_ceil(std::max<size_t>(keys * 2, 16));
}

}  // namespace

uint64_t hash_of(std::string_view text) {
  const uint64_t hash = XXH3_64bits(text.data(), text.size());
  return hash == 0 ? 1 : hash;
}

void KeySet::clear(size_t keys) {
  const size_t slots = slots_for(keys);
  if (slots > slots_.size()) slots_.resize(slots);
  mask_ = slots - 1;
  std::fill_n(slots_.begin(), slots, 0);
}

void KeyCounts::clear(size_t keys) {
  const size_t slots = slots_for(keys);
  if (slots > slots_.size()) slots_.resize(slots);
  mask_ = slots - 1;
  std::fill_n(slots_.begin(), slots, Slot{});
}

void WordRuns::reset(std::string_view text, const std::vector<Word>& words) {
  const size_t n = words.size();
  hashes_.resize(n);
  begins_.resize(n + 1);
  characters_.resize(n + 1);
  joined_.clear();
  begins_[0] = 0;
  characters_[0] = 0;
  for (size_t i = 0; i < n; ++i) {
    const std::string_view word = words[i].in(text);
    hashes_[i] = XXH3_64bits(word.data(), word.size());
    joined_ += word;
    begins_[i + 1] = static_cast<uint32_t>(joined_.size());
    characters_[i + 1] = characters_[i] + words[i].characters;
  }
}

uint64_t WordRuns::hash(size_t first, size_t n) const {
  uint64_t sum = 0;
  for (size_t i = 0; i < n; ++i) sum += hashes_[first + i] * kPlaces[i];
  sum ^= sum >> 29;  // what is high decides the place in a table, too
  return sum == 0 ? 1 : sum;
}

}  // namespace llmtool
