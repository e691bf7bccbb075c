#include "lib/text/piece_cache.h"

#define XXH_INLINE_ALL
#include <algorithm>
#include <cstring>
#include <xxhash.h>

#include "lib/base/error.h"

namespace llmtool {
namespace {

constexpr size_t kSlots = size_t{1} << 16;

}  // namespace

PieceCache::PieceCache() : table_(kSlots), seen_(kSlots) {}

uint64_t PieceCache::hash(std::string_view word) {
  return XXH3_64bits(word.data(), word.size());
}

std::optional<PieceCache::Found> PieceCache::find(std::string_view word, uint64_t hash) const {
  for (size_t slot = hash % kSlots; table_[slot].word_bytes != 0; slot = (slot + 1) % kSlots) {
    const Entry& e = table_[slot];
    if (e.hash == hash && word_of(e) == word) {
      return Found{{data_.data() + e.data + padded(e.word_bytes), e.id_count}, e.limit};
    }
  }
  return std::nullopt;
}

bool PieceCache::seen_before(uint64_t hash) {
  uint32_t& slot = seen_[hash % kSlots];
  const auto tag = static_cast<uint32_t>(hash >> 32);
  const bool seen = slot == tag;
  slot = tag;
  return seen;
}

void PieceCache::add(std::string_view word, uint64_t hash, std::span<const int32_t> ids,
                     float limit) {
  LLMTOOL_ASSERT(!word.empty() && word.size() <= kMaxWord && ids.size() <= UINT16_MAX);
  if (used_ == kSlots / 2) {
    std::fill(table_.begin(), table_.end(), Entry{});
    data_.clear();
    used_ = 0;
  }
  size_t slot = hash % kSlots;
  while (table_[slot].word_bytes != 0) slot = (slot + 1) % kSlots;
  table_[slot] = {hash, static_cast<uint32_t>(data_.size()), static_cast<uint16_t>(word.size()),
                  static_cast<uint16_t>(ids.size()), limit};
  const size_t begin = data_.size();
  data_.resize(begin + padded(word.size()));
  std::memcpy(data_.data() + begin, word.data(), word.size());
  data_.insert(data_.end(), ids.begin(), ids.end());
  ++used_;
}

}  // namespace llmtool
