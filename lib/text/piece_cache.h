// Remembers the ids of words. One thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace llmtool {

class PieceCache {
 public:
  static constexpr size_t kMaxWord = 48;  // longer words are rarely seen again

  PieceCache();

  static uint64_t hash(std::string_view word);

  struct Found {
    std::span<const int32_t> ids;  // valid until the next add()
    float limit = 0;
  };
  // What add() stored for word, if anything.
  std::optional<Found> find(std::string_view word, uint64_t hash) const;
  // True if the word was asked for lately: only then is it worth to add(), and text without end of
  // words that do not come back leaves the others where they are. May err, either way.
  bool seen_before(uint64_t hash);
  // word is not in the cache yet. limit: a number to keep with the ids. A full cache starts anew.
  void add(std::string_view word, uint64_t hash, std::span<const int32_t> ids, float limit);

 private:
  struct Entry {
    uint64_t hash = 0;
    uint32_t data = 0;        // where in data_ the word stands, padded, and behind it its ids
    uint16_t word_bytes = 0;  // 0: empty
    uint16_t id_count = 0;
    float limit = 0;
  };

  std::string_view word_of(const Entry& e) const {
    return {reinterpret_cast<const char*>(data_.data() + e.data), e.word_bytes};
  }
  static size_t padded(size_t word_bytes) { return (word_bytes + 3) / 4; }

  std::vector<Entry> table_;
  std::vector<uint32_t> seen_;  // upper halves of hashes
  size_t used_ = 0;
  std::vector<int32_t> data_;
};

}  // namespace llmtool
