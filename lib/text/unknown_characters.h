// What SentencePiece writes for a character that no piece holds.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "lib/text/sentencepiece_model.h"
#include "lib/text/utf8.h"

namespace llmtool {

class UnknownCharacters {
 public:
  explicit UnknownCharacters(const SentencePieceModel& model)
      : unk_id_(model.unk_id),
        byte_fallback_(model.byte_fallback),
        escape_(model.escape_whitespaces),
        byte_ids_(model.byte_ids) {}

  // Appends the pieces of the character's bytes, or the unknown piece: one for a run of unknown
  // characters. character is that of a text that TextNormalizer wrote; the ids of this text begin
  // at ids[first].
  void append(std::string_view character, size_t first, std::vector<int32_t>& ids) const {
    if (!byte_fallback_) {
      if (ids.size() == first || ids.back() != unk_id_) ids.push_back(unk_id_);
      return;
    }
    for (const char c : escape_&& character == " " ? kSpaceSymbol : character) {
      ids.push_back(byte_ids_[static_cast<uint8_t>(c)]);
    }
  }

 private:
  int32_t unk_id_;
  bool byte_fallback_, escape_;
  std::array<int32_t, 256> byte_ids_;
};

}  // namespace llmtool
