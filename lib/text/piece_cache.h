// Remembers the ids of words. One thread at a time.
#pragma once

#include <cstdint>
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

  // The ids that add() stored for word, valid until the next add(); data() is null if none.
  std::span<const int32_t> find(std::string_view word, uint64_t hash) const;
  // word is not in the cache yet. A full cache starts anew.
  void add(std::string_view word, uint64_t hash, std::span<const int32_t> ids);

 private:
  struct Entry {
    uint64_t hash = 0;
    uint32_t word = 0, ids = 0;  // offsets
    uint16_t word_bytes = 0;     // 0: empty
    uint16_t id_count = 0;
  };

  std::vector<Entry> table_;
  size_t used_ = 0;
  std::string words_;
  std::vector<int32_t> ids_;
};

}  // namespace llmtool
