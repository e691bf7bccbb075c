// Which neighbours byte-pair encoding joins, and in which order. Symbols have codes: a piece its
// id; a character that pieces hold but that is no piece itself, one above all ids.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lib/text/sentencepiece_model.h"

namespace llmtool {

class MergeRules {
 public:
  static constexpr uint32_t kNever = UINT32_MAX;
  using Pair = std::pair<int32_t, int32_t>;
  using Splits = std::unordered_map<int32_t, Pair>;  // of what pieces are made

  explicit MergeRules(const SentencePieceModel& model);

  struct Rule {
    uint32_t rank = kNever;  // smaller: joined earlier
    int32_t joined = -1;     // the code of both together
  };
  // Codes below 0 join nothing.
  Rule find(int32_t left, int32_t right) const {
    if (table_.empty() || (left | right) < 0) return {};
    const uint64_t key = key_of(left, right);
    for (size_t slot = slot_of(key);; slot = (slot + 1) & (table_.size() - 1)) {
      if (table_[slot].key == key) return table_[slot].rule;
      if (table_[slot].key == kEmpty) return {};
    }
  }

  // False only if no piece holds these two characters side by side.
  bool may_join(int32_t left, int32_t right) const {
    if ((left | right) < 0) return false;
    const size_t bit = neighbour_bit(left, right);
    return neighbours_[bit / 64] >> (bit % 64) & 1;
  }

  // Of a character; -1 if no piece holds it.
  int32_t code_of(uint32_t character) const {
    const uint32_t page = pages_[character >> 8];
    return page_codes_[page + (character & 0xff)];
  }

  bool is_piece(int32_t code) const { return code < piece_count_; }
  bool is_unused(int32_t code) const {
    return is_piece(code) && unused_[static_cast<size_t>(code)];
  }
  // Whether the code stands for one character.
  bool is_character(int32_t code) const {
    return !is_piece(code) || one_character_[static_cast<size_t>(code)];
  }
  // Of a code that is no piece.
  std::string_view character(int32_t code) const {
    return characters_[static_cast<size_t>(code - piece_count_)];
  }
  // Unused pieces of several characters that can be made in one way only, and how.
  const Splits& only_splits() const { return only_splits_; }

 private:
  struct Piece {
    std::string text;
    int32_t id;
    uint32_t rank;
  };
  struct Entry {
    uint64_t key = kEmpty;
    Rule rule;
  };
  static constexpr uint64_t kEmpty = ~uint64_t{0};
  static constexpr size_t kNeighbourBits = size_t{1} << 20;

  static uint64_t key_of(int32_t left, int32_t right) {
    return static_cast<uint64_t>(left) << 32 | static_cast<uint32_t>(right);
  }
  size_t slot_of(uint64_t key) const { return key * 0x9e3779b97f4a7c15u >> shift_; }
  static size_t neighbour_bit(int32_t left, int32_t right) {
    return key_of(left, right) * 0x9e3779b97f4a7c15u >> 44;
  }

  std::vector<Piece> read_pieces(const SentencePieceModel& model);
  void name_characters(const std::vector<Piece>& pieces);
  void set_code(uint32_t character, int32_t code);
  void add_rules(const std::vector<Piece>& pieces);
  void fill_table(const std::vector<Entry>& entries);

  int32_t piece_count_;
  std::vector<bool> unused_, one_character_;
  std::vector<Entry> table_;
  int shift_ = 0;
  std::vector<uint64_t> neighbours_;
  std::array<uint32_t, 0x1100> pages_{};  // by the upper bits of a character; 0: the empty page
  std::vector<int32_t> page_codes_;
  std::vector<std::string> characters_;
  Splits only_splits_;
};

}  // namespace llmtool
