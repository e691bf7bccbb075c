#include "lib/corpus/filters/characters.h"

#include <algorithm>
#include <emmintrin.h>
#include <iterator>
#include <map>

#include "lib/corpus/filters/character_table.h"

namespace llmtool {
namespace {

const LowerRun* find_lower_run(uint32_t point) {
  const auto at = std::upper_bound(std::begin(kLowerRuns), std::end(kLowerRuns), point,
                                   [](uint32_t p, const LowerRun& run) { return p < run.first; });
  if (at == std::begin(kLowerRuns)) return nullptr;
  const LowerRun& run = *(at - 1);
  return point <= run.last && (point - run.first) % run.step == 0 ? &run : nullptr;
}

void append_utf8(std::string& out, uint32_t c) {
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out.push_back(static_cast<char>(0xc0 | c >> 6));
    out.push_back(static_cast<char>(0x80 | (c & 0x3f)));
  } else if (c < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | c >> 12));
    out.push_back(static_cast<char>(0x80 | (c >> 6 & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3f)));
  } else {
    out.push_back(static_cast<char>(0xf0 | c >> 18));
    out.push_back(static_cast<char>(0x80 | (c >> 12 & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (c >> 6 & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3f)));
  }
}

}  // namespace

CharacterTable::CharacterTable() {
  std::map<std::array<uint16_t, kPage>, uint16_t> known;
  const CharacterRange* range = kCharacterRanges;
  const CharacterRange* const end = std::end(kCharacterRanges);
  for (uint32_t page = 0; page < page_of_.size(); ++page) {
    std::array<uint16_t, kPage> flags;
    for (uint32_t i = 0; i < kPage; ++i) {
      while (range + 1 < end && range[1].first <= page * kPage + i) ++range;
      flags[i] = range->flags;
    }
    const auto [at, is_new] = known.emplace(flags, static_cast<uint16_t>(known.size()));
    if (is_new) pages_.insert(pages_.end(), flags.begin(), flags.end());
    page_of_[page] = at->second;
  }
  std::copy_n(pages_.begin(), ascii_.size(), ascii_.begin());
}

const CharacterTable& CharacterTable::get() {
  static const CharacterTable table;
  return table;
}

size_t count_characters(std::string_view text) {
  size_t count = 0, at = 0;
  const __m128i last_continuation = _mm_set1_epi8(static_cast<char>(0xbf));
  while (at + 16 <= text.size()) {
    // Bytes of the sum count up to 255 blocks.
    const size_t blocks = std::min<size_t>((text.size() - at) / 16, 255);
    __m128i sum = _mm_setzero_si128();
    for (size_t i = 0; i < blocks; ++i, at += 16) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
      sum = _mm_sub_epi8(sum, _mm_cmpgt_epi8(bytes, last_continuation));
    }
    const __m128i halves = _mm_sad_epu8(sum, _mm_setzero_si128());
    count += static_cast<size_t>(_mm_cvtsi128_si64(halves)) +
             static_cast<size_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(halves, halves)));
  }
  for (; at < text.size(); ++at) count += !is_continuation(text[at]);
  return count;
}

std::string_view stripped(std::string_view text) {
  const auto is_plain = [](char c) { return c > ' '; };  // ASCII and no space
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (text.empty() || (is_plain(text.front()) && is_plain(text.back()))) return text;
  const CharacterTable& table = CharacterTable::get();
  while (!text.empty() && (table.flags_at(text, 0) & kSpace))
    text.remove_prefix(character_at(text, 0).bytes);
  while (!text.empty() && (table.flags_before(text, text.size()) & kSpace))
    text.remove_suffix(text.size() - last_character(text, text.size()));
  return text;
}

void append_lower(std::string& out, std::string_view text) {
  out.reserve(out.size() + text.size());
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (static_cast<int8_t>(c) >= 0) {
      out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c);
      ++at;
      continue;
    }
    const Character found = character_at(text, at);
    const LowerRun* run = find_lower_run(found.point);
    if (run == nullptr) {
      out.append(text, at, found.bytes);
    } else {
      append_utf8(out, static_cast<uint32_t>(static_cast<int32_t>(found.point) + run->delta));
    }
    at += found.bytes;
  }
}

}  // namespace llmtool
