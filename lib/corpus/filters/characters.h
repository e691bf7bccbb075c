// What the filters ask about a character: the answers of Python 3.11 (Unicode 14), datatrove 0.10
// and spaCy 3.8, in one table.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace llmtool {

enum CharacterFlag : uint16_t {
  kAlphabetic = 1 << 0,    // str.isalpha(): the letters
  kSpace = 1 << 1,         // str.isspace()
  kPunctuation = 1 << 2,   // datatrove's PUNCTUATION_SET
  kTerminal = 1 << 3,      // datatrove's TERMINAL_PUNCTUATION
  kPrefix = 1 << 4,        // spaCy cuts it off the front of a word
  kSuffix = 1 << 5,        // and off its end, whatever is before it
  kBeforePeriod = 1 << 6,  // a "." after it is cut off
  kAlpha = 1 << 7,         // spaCy's ALPHA, ALPHA_LOWER, ALPHA_UPPER (scripts without cases are
  kLower = 1 << 8,         // both), CONCAT_QUOTES, ICONS
  kUpper = 1 << 9,
  kQuote = 1 << 10,
  kIcon = 1 << 11,
  kPunctCategory = 1 << 12,  // Unicode category P*
  kSentenceEnd = 1 << 13,    // spaCy's sentencizer ends a sentence at it
  kCurrency = 1 << 14,       // spaCy cuts it off a number
  kWord = 1 << 15,           // \w of Python's re: str.isalnum() or "_"
};

struct Character {
  uint32_t point = 0;
  uint32_t bytes = 1;
};

// The character at text[at]; at < text.size(). A byte that begins none counts as itself.
inline Character character_at(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return uint32_t{static_cast<uint8_t>(text[i])}; };
  const uint32_t c = byte(at);
  const size_t room = text.size() - at;
  if (c < 0xc0) return {c, 1};
  if (c < 0xe0 && room > 1) return {(c & 0x1f) << 6 | (byte(at + 1) & 0x3f), 2};
  if (c < 0xf0 && room > 2)
    return {(c & 0x0f) << 12 | (byte(at + 1) & 0x3f) << 6 | (byte(at + 2) & 0x3f), 3};
  if (c < 0xf8 && room > 3)
    return {(c & 0x07) << 18 | (byte(at + 1) & 0x3f) << 12 | (byte(at + 2) & 0x3f) << 6 |
                (byte(at + 3) & 0x3f),
            4};
  return {c, 1};
}

inline bool is_continuation(char c) {
  return (static_cast<uint8_t>(c) & 0xc0) == 0x80;
}

// Where the last character of text[0, end) begins; end > 0.
inline size_t last_character(std::string_view text, size_t end) {
  size_t at = end - 1;
  while (at > 0 && end - at < 4 && is_continuation(text[at])) --at;
  return at;
}

inline bool is_ascii_digit(char c) {
  return c >= '0' && c <= '9';
}

// Code points of valid UTF-8.
size_t count_characters(std::string_view text);

class CharacterTable {
 public:
  // The only one.
  static const CharacterTable& get();

  uint16_t ascii(char c) const { return ascii_[static_cast<uint8_t>(c) & 0x7f]; }
  uint16_t flags(uint32_t point) const {
    if (point < 128) return ascii_[point];
    if (point > 0x10ffff) return 0;
    return pages_[size_t{page_of_[point / kPage]} * kPage + point % kPage];
  }
  uint16_t flags_at(std::string_view text, size_t at) const {
    const char c = text[at];
    return static_cast<int8_t>(c) >= 0 ? ascii(c) : flags(character_at(text, at).point);
  }
  // Of the last character of text[0, end).
  uint16_t flags_before(std::string_view text, size_t end) const {
    const char c = text[end - 1];
    return static_cast<int8_t>(c) >= 0
               ? ascii(c)
               : flags(character_at(text.substr(0, end), last_character(text, end)).point);
  }

 private:
  CharacterTable();

  static constexpr size_t kPage = 128;
  std::array<uint16_t, 128> ascii_{};
  std::array<uint16_t, 0x110000 / kPage> page_of_{};
  std::vector<uint16_t> pages_;
};

// str.strip() of Python: without the spaces (str.isspace) on both sides.
std::string_view stripped(std::string_view text);

// Appends the text in lower case; the few characters whose lower-case form is several stay as they
// are.
void append_lower(std::string& out, std::string_view text);

}  // namespace llmtool
