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
  // word is not in the cache yet. limit: a number to keep with the ids. A full cache starts anew.
  void add(std::string_view word, uint64_t hash, std::span<const int32_t> ids, float limit);

 private:
  struct Entry {
    uint64_t hash = 0;
    uint32_t word = 0, ids = 0;  // offsets
    uint16_t word_bytes = 0;     // 0: empty
    uint16_t id_count = 0;
    float limit = 0;
  };

  std::vector<Entry> table_;
  size_t used_ = 0;
  std::string words_;
  std::vector<int32_t> ids_;
};

}  // namespace llmtool
