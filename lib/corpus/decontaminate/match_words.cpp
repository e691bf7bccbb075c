#include "lib/corpus/decontaminate/match_words.h"

#include <array>
#include <string>

#include "lib/base/error.h"
#include "lib/corpus/dedup/normaliser.h"
#include "lib/text/code_points.h"

namespace llmtool {
namespace {

constexpr uint64_t kStart = 0xcbf29ce484222325, kFactor = 0x100000001b3;

// 0: parts words; else the letter in lower case or the digit.
constexpr std::array<char, 128> make_table() {
  std::array<char, 128> table{};
  for (char c = '0'; c <= '9'; ++c) table[static_cast<size_t>(c)] = c;
  for (char c = 'a'; c <= 'z'; ++c) {
    table[static_cast<size_t>(c)] = c;
    table[static_cast<size_t>(c - 32)] = c;
  }
  return table;
}
constexpr std::array<char, 128> kTable = make_table();

uint64_t with(uint64_t hash, char c) {
  return (hash ^ static_cast<uint8_t>(c)) * kFactor;
}

// FNV-1a leaves the upper bits of short words poor.
uint64_t finished(uint64_t hash) {
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
  return hash ^ (hash >> 33);
}

bool is_ideograph(uint32_t c) {
  return (c >= 0x3040 && c <= 0x30ff) || (c >= 0x3400 && c <= 0x9fff) ||
         (c >= 0xf900 && c <= 0xfaff) || (c >= 0x20000 && c <= 0x3ffff);
}

bool is_mark(uint32_t c) {
  return (c >= 0x80 && c <= 0xbf && c != 0xaa && c != 0xb5 && c != 0xba) || c == 0xd7 ||
         c == 0xf7 || (c >= 0x2000 && c <= 0x206f) || (c >= 0x3000 && c <= 0x303f) ||
         (c >= 0xff00 && c <= 0xff0f) || c == 0xfeff || c == 0xfffd;
}

class WordLister {
 public:
  WordLister(std::string_view text, bool zero_numbers, std::vector<MatchWord>& words)
      : text_(text), zero_numbers_(zero_numbers), words_(words) {}

  void run() {
    size_t i = 0;
    while (i < text_.size()) {
      const auto c = static_cast<uint8_t>(text_[i]);
      if (c < 0x80 && kTable[c] == 0) {
        ++i;
      } else {
        i = word(i);
      }
    }
  }

 private:
  bool is_digit_at(size_t i) const {
    return i < text_.size() && text_[i] >= '0' && text_[i] <= '9';
  }

  // The end of a number that begins at i.
  size_t number_end(size_t i) const {
    while (is_digit_at(i)) ++i;
    const bool parted = i < text_.size() && (text_[i] == '.' || text_[i] == ',');
    if (!parted || !is_digit_at(i + 1)) return i;
    ++i;
    while (is_digit_at(i)) ++i;
    return i;
  }

  size_t word(size_t begin) {
    uint64_t hash = kStart;
    size_t i = begin;
    while (i < text_.size()) {
      const auto c = static_cast<uint8_t>(text_[i]);
      if (c >= 0x80) return mixed_word(begin, i);
      const char letter = kTable[c];
      if (letter == 0) break;
      if (zero_numbers_ && letter <= '9') {
        hash = with(hash, '0');
        i = number_end(i);
      } else {
        hash = with(hash, letter);
        ++i;
      }
    }
    words_.push_back({finished(hash), static_cast<uint32_t>(begin), static_cast<uint32_t>(i)});
    return i;
  }

  // A word with other than ASCII at i.
  size_t mixed_word(size_t begin, size_t i) {
    while (i < text_.size()) {
      const auto c = static_cast<uint8_t>(text_[i]);
      if (c < 0x80 && zero_numbers_ && is_digit_at(i)) {
        i = number_end(i);
        continue;
      }
      if (c < 0x80) {
        if (kTable[c] == 0) break;
        ++i;
        continue;
      }
      size_t next = i;
      const uint32_t code = next_code_point(text_, next);
      if (is_mark(code)) break;
      if (is_ideograph(code)) {
        normalised_word(begin, i);
        normalised_word(i, next);
        return next;
      }
      i = next;
    }
    normalised_word(begin, i);
    // A mark is stepped over here: the caller would take it for the beginning of a word.
    if (i < text_.size() && static_cast<uint8_t>(text_[i]) >= 0x80) next_code_point(text_, i);
    return i;
  }

  void normalised_word(size_t begin, size_t end) {
    if (begin == end) return;
    spelling_.clear();
    // simplify_text makes digits 0: with numbers as they are, only what is between them goes there.
    for (size_t i = begin; i < end;) {
      size_t stop = i;
      const bool digits = !zero_numbers_ && is_digit_at(i);
      while (stop < end && (zero_numbers_ || is_digit_at(stop) == digits)) ++stop;
      if (digits) {
        spelling_ += text_.substr(i, stop - i);
      } else {
        append_normalised(spelling_, text_.substr(i, stop - i), Normalisation::kDatatrove);
      }
      i = stop;
    }
    for (size_t i = 0; i < spelling_.size();) {
      const size_t stop = std::min(spelling_.find(' ', i), spelling_.size());
      uint64_t hash = kStart;
      for (size_t k = i; k < stop; ++k) hash = with(hash, spelling_[k]);
      if (stop > i) {
        words_.push_back(
            {finished(hash), static_cast<uint32_t>(begin), static_cast<uint32_t>(end)});
      }
      i = stop + 1;
    }
  }

  std::string_view text_;
  bool zero_numbers_;
  std::vector<MatchWord>& words_;
  std::string spelling_;
};

}  // namespace

void list_match_words(std::string_view text, bool zero_numbers, std::vector<MatchWord>& words) {
  check(text.size() < (uint64_t{1} << 32), Fault::kInput, "a text of ", text.size(),
        " bytes, expected less than 4 GiB");
  words.clear();
  WordLister(text, zero_numbers, words).run();
}

}  // namespace llmtool
