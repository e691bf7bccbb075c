// What a SentencePiece model does to a text before it looks for pieces (NormalizerSpec): rewrite it
// by the model's rules, leave its user-defined symbols alone, take surplus spaces away and put a
// space in front or behind. The result is that of the library, byte for byte, but for spaces: where
// the library writes U+2581 for a space (escape_whitespaces), here stands ' ', for a U+2581 of the
// text too.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "lib/text/charsmap.h"
#include "lib/text/piece_trie.h"
#include "lib/text/sentencepiece_model.h"

namespace llmtool {

class TextNormalizer {
 public:
  explicit TextNormalizer(const SentencePieceModel& model);

  // text may be any bytes: each one that is not part of a valid UTF-8 sequence, and of no rule,
  // becomes U+FFFD. Replaces out, which is valid UTF-8 then. text is not part of out.
  void normalize(std::string_view text, std::string& out) const;

 private:
  // What stands for the first `length` bytes of a text.
  struct Prefix {
    std::string_view text;
    size_t length;
  };

  Prefix prefix_of(std::string_view text) const;
  size_t end_of_plain(std::string_view text, size_t at) const;
  void append(std::string_view text, std::string& out) const;

  Charsmap rules_;
  PieceTrie symbols_;
  bool squeeze_, escape_, space_in_front_, space_behind_;
  std::array<bool, 256> plain_{};   // ASCII that stays as it is in front of ASCII
  std::array<bool, 256> starts_{};  // what may begin a rule or a symbol
};

}  // namespace llmtool
