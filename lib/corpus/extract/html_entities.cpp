#include "lib/corpus/extract/html_entities.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "lib/corpus/extract/plain_text.h"

namespace llmtool {

namespace {

constexpr size_t kLongestName = 32;  // CounterClockwiseContourIntegral;

constexpr std::array<uint16_t, 32> kWindows1252 = {
    0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};

struct Entity {
  std::string_view name, text;
};

std::vector<Entity> read_entities() {
  std::vector<Entity> all;
  for (size_t i = 0; i < kHtmlEntities.size();) {
    const size_t name_end = kHtmlEntities.find(' ', i);
    const size_t end = kHtmlEntities.find('\0', name_end);
    all.push_back({kHtmlEntities.substr(i, name_end - i),
                   kHtmlEntities.substr(name_end + 1, end - name_end - 1)});
    i = end + 1;
  }
  return all;
}

const Entity* find_entity(std::string_view name) {
  static const std::vector<Entity> all = read_entities();
  const auto at = std::lower_bound(all.begin(), all.end(), name,
                                   [](const Entity& e, std::string_view n) { return e.name < n; });
  return at != all.end() && at->name == name ? &*at : nullptr;
}

int digit_value(char c, bool hexadecimal) {
  if (is_ascii_digit(c)) return c - '0';
  const char lower = ascii_lower(c);
  return hexadecimal && lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

size_t append_number(std::string& out, std::string_view text) {
  const bool hexadecimal = text.size() > 2 && ascii_lower(text[2]) == 'x';
  const size_t first = hexadecimal ? 3 : 2;
  size_t i = first;
  uint32_t value = 0;
  for (; i < text.size(); ++i) {
    const int digit = digit_value(text[i], hexadecimal);
    if (digit < 0) break;
    value = std::min<uint32_t>(value * (hexadecimal ? 16 : 10) + static_cast<uint32_t>(digit),
                               0x110000);
  }
  if (i == first) return 0;
  if (value >= 128 && value < 160) value = kWindows1252[value - 128];
  append_code_point(out, value == 0 ? 0xFFFD : value);
  return i + (i < text.size() && text[i] == ';' ? 1 : 0);
}

}  // namespace

size_t append_character_reference(std::string& out, std::string_view text) {
  if (text.size() < 3) return 0;
  if (text[1] == '#') return append_number(out, text);
  size_t length = 1;
  while (length < text.size() && length <= kLongestName &&
         (is_ascii_letter(text[length]) || is_ascii_digit(text[length]))) {
    ++length;
  }
  if (length < text.size() && text[length] == ';') {
    if (const Entity* e = find_entity(text.substr(1, length))) {
      out += e->text;
      return length + 1;
    }
  }
  for (size_t n = std::min<size_t>(length - 1, 6); n >= 2; --n) {  // those without a semicolon
    if (const Entity* e = find_entity(text.substr(1, n))) {
      out += e->text;
      return n + 1;
    }
  }
  return 0;
}

std::string without_references(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t at = text.find('&');
    out += text.substr(0, at);
    if (at == text.npos) break;
    text.remove_prefix(at);
    const size_t used = append_character_reference(out, text);
    if (used == 0) out += '&';
    text.remove_prefix(std::max<size_t>(used, 1));
  }
  return out;
}

}  // namespace llmtool
