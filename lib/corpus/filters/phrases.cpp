#include "lib/corpus/filters/phrases.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <emmintrin.h>

namespace llmtool {
namespace {

// A phrase is looked for by two neighbouring letters of it that are seldom neighbours.
struct Phrase {
  std::string_view text;
  size_t anchor;  // place of the two letters
  bool FoundPhrases::*found;
};

constexpr std::array<Phrase, 8> kPhrases{{
    {"lorem ipsum", 7, &FoundPhrases::lorem_ipsum},  // ps
    {"javascript", 0, &FoundPhrases::javascript},    // ja
    {"terms of use", 3, &FoundPhrases::policy},      // ms
    {"privacy policy", 5, &FoundPhrases::policy},    // cy
    {"cookie policy", 2, &FoundPhrases::policy},     // ok
    {"uses cookies", 7, &FoundPhrases::policy},      // ok
    {"use of cookies", 9, &FoundPhrases::policy},    // ok
    {"use cookies", 6, &FoundPhrases::policy},       // ok
}};
constexpr std::array<char[3], 5> kAnchors{"ps", "ja", "ms", "cy", "ok"};

bool equals_lower(std::string_view text, std::string_view lower) {
  for (size_t i = 0; i < lower.size(); ++i) {
    const char c = text[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c) != lower[i]) return false;
  }
  return true;
}

void look_at(std::string_view text, size_t at, FoundPhrases& found) {
  for (const Phrase& phrase : kPhrases) {
    if (at < phrase.anchor || text.size() - (at - phrase.anchor) < phrase.text.size()) continue;
    if (equals_lower(text.substr(at - phrase.anchor), phrase.text)) found.*phrase.found = true;
  }
}

// Bit i: an anchor begins at block[i]. Reads 17 bytes.
unsigned anchors_in(const char* block) {
  const __m128i small = _mm_set1_epi8(0x20);
  const __m128i first =
      _mm_or_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block)), small);
  const __m128i second =
      _mm_or_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block + 1)), small);
  __m128i any = _mm_setzero_si128();
  for (const char* anchor : kAnchors) {
    any = _mm_or_si128(any, _mm_and_si128(_mm_cmpeq_epi8(first, _mm_set1_epi8(anchor[0])),
                                          _mm_cmpeq_epi8(second, _mm_set1_epi8(anchor[1]))));
  }
  return static_cast<unsigned>(_mm_movemask_epi8(any));
}

}  // namespace

FoundPhrases find_phrases(std::string_view text) {
  FoundPhrases found;
  char tail[17];
  for (size_t at = 0; at + 1 < text.size(); at += 16) {
    const char* block = text.data() + at;
    if (text.size() - at < sizeof tail) {
      std::memset(tail, 0, sizeof tail);
      std::memcpy(tail, block, text.size() - at);
      block = tail;
    }
    for (unsigned hits = anchors_in(block); hits != 0; hits &= hits - 1)
      look_at(text, at + static_cast<size_t>(std::countr_zero(hits)), found);
  }
  return found;
}

}  // namespace llmtool
