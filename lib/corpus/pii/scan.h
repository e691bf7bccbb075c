// What the scanners of pii.h share: character classes, and the search for places to look at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <smmintrin.h>
#include <string_view>
#include <vector>

#include "lib/corpus/pii/pii.h"

namespace llmtool::pii {

inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
inline bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
inline bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
inline bool is_letter(char c) {
  return is_lower(c) || is_upper(c);
}
inline bool is_alnum(char c) {
  return is_letter(c) || is_digit(c);
}
inline char lower(char c) {
  return is_upper(c) ? static_cast<char>(c + 32) : c;
}
// The character at i, or NUL outside.
inline char at(std::string_view text, size_t i) {
  return i < text.size() ? text[i] : '\0';
}
inline char before(std::string_view text, size_t i) {
  return i == 0 ? '\0' : text[i - 1];
}

// The words (ASCII letters, lower case) that end before position i, nearest first, at most `count`,
// within 32 bytes and on the same line. What stands between them does not matter.
struct WordsBefore {
  char letters[32];
  std::string_view word[3];
  size_t count = 0;
};
WordsBefore words_before(std::string_view text, size_t i, size_t count);

namespace detail {

inline __m128i in_range(__m128i c, char low, char high) {
  const __m128i shifted = _mm_sub_epi8(c, _mm_set1_epi8(low));
  const __m128i limit = _mm_set1_epi8(static_cast<char>(high - low));
  return _mm_cmpeq_epi8(_mm_min_epu8(shifted, limit), shifted);
}
inline __m128i equal(__m128i c, char to) {
  return _mm_cmpeq_epi8(c, _mm_set1_epi8(to));
}
inline __m128i digits(__m128i c) {
  return in_range(c, '0', '9');
}
// Letters in both cases map to lower case; other bytes in [0x40, 0x5f] move too, out of its way.
inline __m128i letters(__m128i c) {
  return in_range(_mm_or_si128(c, _mm_set1_epi8(0x20)), 'a', 'z');
}
inline __m128i load(const char* p) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}

}  // namespace detail

// f(i) for the positions i >= 1 where mask(bytes at i - 1, i, i + 1) has its lane set, in order; f
// returns the position before which nothing is to be looked at again. Behind the text stand NULs.
template <class Mask, class F>
void each_candidate(std::string_view text, Mask mask, F f) {
  size_t resume = 1;
  const auto visit = [&](const char* p, size_t i) {
    const __m128i found = mask(detail::load(p - 1), detail::load(p), detail::load(p + 1));
    auto bits = static_cast<uint32_t>(_mm_movemask_epi8(found));
    for (; bits != 0; bits &= bits - 1) {
      const size_t place = i + static_cast<size_t>(__builtin_ctz(bits));
      if (place >= resume && place < text.size()) resume = f(place);
    }
  };
  size_t i = 1;
  for (; i + 17 <= text.size(); i += 16) visit(text.data() + i, i);
  if (i >= text.size()) return;
  char tail[48] = {};
  const std::string_view rest = text.substr(i - 1);
  rest.copy(tail, rest.size());
  visit(tail + 1, i);
  visit(tail + 17, i + 16);
}

using Spans = std::vector<PiiSpan>;

void find_emails(std::string_view text, Spans& spans);
void find_addresses(std::string_view text, bool private_too, Spans& spans);  // IPv4 and IPv6
void find_phones(std::string_view text, Spans& spans);
void find_keys(std::string_view text, Spans& spans);
void find_ibans(std::string_view text, Spans& spans);
void find_cards(std::string_view text, Spans& spans);

}  // namespace llmtool::pii
