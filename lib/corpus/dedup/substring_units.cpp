#include "lib/corpus/dedup/substring_units.h"

#define XXH_INLINE_ALL
#include <cstring>
#include <xxhash.h>

#include "lib/base/error.h"

namespace llmtool {
namespace {

constexpr uint64_t kMask = (uint64_t{1} << 61) - 1;
constexpr std::string_view kNames[] = {"bytes", "characters", "words", "tokens"};

uint64_t word_value(std::string_view word) {
  const uint64_t hash = XXH3_64bits(word.data(), word.size()) & kMask;
  return hash == kMask ? 0 : hash;
}

size_t character_end(std::string_view text, size_t i) {
  ++i;
  while (i < text.size() && (static_cast<uint8_t>(text[i]) & 0xc0) == 0x80) ++i;
  return i;
}

uint64_t value_of_bytes(std::string_view bytes) {
  uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<uint8_t>(c);
  return value;
}

size_t word_end(std::string_view text, size_t i) {
  while (i < text.size()) {
    const auto c = static_cast<uint8_t>(text[i]);
    if ((c <= ' ' || c >= 0x80) && space_at(text, i) > 0) break;
    ++i;
  }
  return i;
}

}  // namespace

std::string_view name_of(SubstringUnit unit) {
  return kNames[static_cast<size_t>(unit)];
}

SubstringUnit substring_unit(std::string_view name) {
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (kNames[i] == name) return static_cast<SubstringUnit>(i);
  }
  fail(Fault::kUsage, concat("'", name, "' is no unit of substrings"),
       "units are bytes, characters, words and tokens");
}

void UnitList::clear() {
  values.clear();
  begins.clear();
  ends.clear();
}

// Python's str.isspace(): ASCII 9-13, 28-32, and the space separators of Unicode.
size_t space_at(std::string_view text, size_t i) {
  const auto byte = [&](size_t k) {
    return i + k < text.size() ? static_cast<uint8_t>(text[i + k]) : 0u;
  };
  const unsigned a = byte(0), b = byte(1), c = byte(2);
  if (a < 0x80) return a == ' ' || (a >= 9 && a <= 13) || (a >= 28 && a <= 31) ? 1 : 0;
  if (a == 0xc2) return b == 0x85 || b == 0xa0 ? 2 : 0;
  if (a == 0xe1) return b == 0x9a && c == 0x80 ? 3 : 0;
  if (a == 0xe3) return b == 0x80 && c == 0x80 ? 3 : 0;
  if (a != 0xe2) return 0;
  if (b == 0x80) return (c >= 0x80 && c <= 0x8a) || c == 0xa8 || c == 0xa9 || c == 0xaf ? 3 : 0;
  return b == 0x81 && c == 0x9f ? 3 : 0;
}

size_t skip_space(std::string_view text, size_t i) {
  for (size_t n = 0; i < text.size() && (n = space_at(text, i)) > 0;) i += n;
  return i;
}

void list_units(std::string_view text, size_t from, size_t most, SubstringUnit unit,
                UnitList& units) {
  units.clear();
  size_t i = from;
  const auto add = [&](size_t end, uint64_t value) {
    units.begins.push_back(i);
    units.ends.push_back(end);
    units.values.push_back(value);
    i = end;
  };
  while (i < text.size() && units.size() < most) {
    if (unit == SubstringUnit::kBytes) {
      add(i + 1, static_cast<uint8_t>(text[i]));
    } else if (unit == SubstringUnit::kCharacters) {
      const size_t end = character_end(text, i);
      add(end, value_of_bytes(text.substr(i, end - i)));
    } else if (unit == SubstringUnit::kTokens) {
      add(i + 4, value_of_bytes(text.substr(i, 4)));
    } else {
      i = skip_space(text, i);
      if (i == text.size()) break;
      const size_t end = word_end(text, i);
      add(end, word_value(text.substr(i, end - i)));
    }
  }
}

}  // namespace llmtool
