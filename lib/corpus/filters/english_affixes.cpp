#include "lib/corpus/filters/english_affixes.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "lib/corpus/filters/english_exceptions.h"

namespace llmtool {
namespace {

constexpr std::string_view kEllipsis = "…";

constexpr size_t kLongestUnit = 10;

bool has(uint16_t flags, unsigned wanted) {
  return (flags & wanted) != 0;
}

size_t dots_at_end(std::string_view text) {
  const size_t last = text.find_last_not_of('.');
  return last == text.npos ? text.size() : text.size() - last - 1;
}

// What follows the last digit, if it is a unit, a currency or a "+".
size_t suffix_of_number(std::string_view text, const CharacterTable& table) {
  size_t at = text.size();
  while (at > 0 && text.size() - at <= kLongestUnit && !is_ascii_digit(text[at - 1])) --at;
  if (at == 0 || at == text.size() || !is_ascii_digit(text[at - 1])) return 0;
  const std::string_view tail = text.substr(at);
  if (tail == "+" || tail == "US$" || tail == "C$" || tail == "A$") return tail.size();
  if (std::binary_search(std::begin(kEnglishUnits), std::end(kEnglishUnits), tail))
    return tail.size();
  const Character first = character_at(tail, 0);
  return first.bytes == tail.size() && has(table.flags(first.point), kCurrency) ? tail.size() : 0;
}

bool cuts_period(std::string_view text, const CharacterTable& table) {
  if (text.size() < 2) return false;
  const size_t end = text.size() - 1;
  const uint16_t before = table.flags_before(text, end);
  if (has(before, kBeforePeriod)) return true;
  const size_t last = last_character(text, end);
  if (last == 0) return false;
  if (has(before, kUpper) && has(table.flags_before(text, last), kUpper)) return true;
  return std::string_view("FfCcKk").find(text[last]) != std::string_view::npos &&
         text.substr(0, last).ends_with("°");
}

}  // namespace

size_t english_prefix(std::string_view text, const CharacterTable& table) {
  const char c = text[0];
  if (c == '.') {
    const size_t dots = std::min(text.find_first_not_of('.'), text.size());
    return dots > 1 ? dots : 0;
  }
  if (c == '+') return text.size() == 1 || !is_ascii_digit(text[1]);
  if (has(table.flags_at(text, 0), kPrefix)) return character_at(text, 0).bytes;
  if (text.starts_with("US$")) return 3;
  return text.starts_with("C$") || text.starts_with("A$") ? 2 : 0;
}

size_t english_suffix(std::string_view text, const CharacterTable& table) {
  if (text.empty()) return 0;
  const char c = text.back();
  if (c == '.') {
    const size_t dots = dots_at_end(text);
    if (dots > 1) return dots;
    return cuts_period(text, table);
  }
  if (const size_t bytes = suffix_of_number(text, table)) return bytes;
  if (c == 's' || c == 'S') {
    const std::string_view before = text.substr(0, text.size() - 1);
    if (before.ends_with('\'')) return 2;
    if (before.ends_with("’")) return 4;
  }
  if (!has(table.flags_before(text, text.size()), kSuffix)) return 0;
  const size_t bytes = text.size() - last_character(text, text.size());
  const bool two =
      text.ends_with(kEllipsis) && text.substr(0, text.size() - 3).ends_with(kEllipsis);
  return two ? 2 * bytes : bytes;
}

size_t english_infix(std::string_view text, size_t at, const CharacterTable& table) {
  const char c = text[at];
  const auto next = [&](size_t bytes) {
    return at + bytes < text.size() ? table.flags_at(text, at + bytes) : uint16_t{0};
  };
  const auto before = [&] { return table.flags_before(text, at); };
  if (static_cast<int8_t>(c) < 0) {
    const Character found = character_at(text, at);
    const uint16_t flags = table.flags(found.point);
    if (found.point == 0x2026 || has(flags, kIcon)) return found.bytes;
    if (found.point != 0x2013 && found.point != 0x2014) return 0;
    if (!has(before(), kAlpha) && !is_ascii_digit(text[at - 1])) return 0;
    if (has(next(found.bytes), kAlpha)) return found.bytes;
    const bool two = found.point == 0x2014 && text.substr(at + 3).starts_with("—");
    return two && has(next(6), kAlpha) ? 6 : 0;
  }
  switch (c) {
    case '.': {
      const size_t dots = std::min(text.find_first_not_of('.', at), text.size()) - at;
      if (dots > 1) return dots;
      return has(before(), kLower | kQuote) && has(next(1), kUpper | kQuote);
    }
    case ',':
      return has(before(), kAlpha) && has(next(1), kAlpha);
    case '+':
    case '*':
    case '^':
    case '-':
    case '~': {
      const bool digit = is_ascii_digit(text[at - 1]);
      if (c != '~' && digit && at + 1 < text.size() &&
          (is_ascii_digit(text[at + 1]) || text[at + 1] == '-'))
        return 1;
      if ((c != '-' && c != '~') || (!digit && !has(before(), kAlpha))) return 0;
      if (has(next(1), kAlpha)) return 1;
      for (const std::string_view dashes : {"--", "---"}) {
        if (c == '-' && text.substr(at).starts_with(dashes) && has(next(dashes.size()), kAlpha))
          return dashes.size();
      }
      return 0;
    }
    case ':':
    case '<':
    case '>':
    case '=':
    case '/':
      return has(next(1), kAlpha) && (has(before(), kAlpha) || is_ascii_digit(text[at - 1]));
    default:
      return has(table.ascii(c), kIcon);
  }
}

namespace {

bool is_host_character(uint32_t c) {
  return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
         (c >= 0xa1 && c <= 0xffff);
}

// Letters and digits with "-" and "_" inside, 64 characters at most.
bool is_label(std::string_view label) {
  if (label.empty() || count_characters(label) > 64) return false;
  for (size_t at = 0; at < label.size();) {
    const Character c = character_at(label, at);
    const bool inside = at > 0 && at + c.bytes < label.size();
    if (!is_host_character(c.point) && !(inside && (c.point == '-' || c.point == '_')))
      return false;
    at += c.bytes;
  }
  return true;
}

bool is_top_domain(std::string_view name, const CharacterTable& table) {
  const size_t characters = count_characters(name);
  if (characters < 2 || characters > 63) return false;
  for (size_t at = 0; at < name.size(); at += character_at(name, at).bytes) {
    if (!has(table.flags_at(name, at), kLower)) return false;
  }
  return true;
}

// 1.0.0.1 to 223.255.255.254, without the private networks.
bool is_public_ip(std::string_view host) {
  std::array<int, 4> part{};
  for (size_t i = 0; i < 4; ++i) {
    const size_t digits = std::min(host.find_first_not_of("0123456789"), host.size());
    if (digits == 0 || digits > 3) return false;
    for (size_t d = 0; d < digits; ++d) part[i] = part[i] * 10 + (host[d] - '0');
    if ((i == 0 || i == 3) && host[0] == '0') return false;
    host.remove_prefix(digits);
    if (i < 3 && (host.empty() || host[0] != '.')) return false;
    if (i < 3) host.remove_prefix(1);
  }
  if (!host.empty() || part[0] > 223 || part[1] > 255 || part[2] > 255 || part[3] > 254)
    return false;
  if (part[0] == 10 || part[0] == 127) return false;
  if ((part[0] == 169 && part[1] == 254) || (part[0] == 192 && part[1] == 168)) return false;
  return !(part[0] == 172 && part[1] >= 16 && part[1] <= 31);
}

bool is_domain(std::string_view host, const CharacterTable& table) {
  const size_t dot = host.rfind('.');
  if (dot == host.npos || !is_top_domain(host.substr(dot + 1), table)) return false;
  host = host.substr(0, dot);
  while (true) {
    const size_t end = std::min(host.find('.'), host.size());
    if (!is_label(host.substr(0, end))) return false;
    if (end == host.size()) return true;
    host.remove_prefix(end + 1);
  }
}

// A host, then perhaps a port, then perhaps a path.
bool is_host_and_path(std::string_view text, const CharacterTable& table) {
  const size_t end = std::min(text.find_first_of(":/?#@"), text.size());
  const std::string_view host = text.substr(0, end);
  text.remove_prefix(end);
  if (text.starts_with(':')) {
    const size_t digits = std::min(text.find_first_not_of("0123456789", 1), text.size()) - 1;
    if (digits < 2 || digits > 5) return false;
    text.remove_prefix(digits + 1);
  }
  if (!text.empty() && std::string_view("/?#").find(text[0]) == std::string_view::npos)
    return false;
  return is_domain(host, table) || is_public_ip(host);
}

}  // namespace

bool is_address(std::string_view text, const CharacterTable& table) {
  if (text.find('.') == text.npos) return false;
  const size_t scheme = text.find("://");
  if (scheme != text.npos && scheme >= 2) {
    bool valid = true;
    for (size_t at = 0; at < scheme && valid; at += character_at(text, at).bytes) {
      valid = has(table.flags_at(text, at), kWord) || text[at] == '+' || text[at] == '-' ||
              text[at] == '.';
    }
    if (valid && is_host_and_path(text.substr(scheme + 3), table)) return true;
  }
  if (is_host_and_path(text, table)) return true;
  for (size_t at = text.find('@', 1); at != text.npos; at = text.find('@', at + 1)) {
    if (is_host_and_path(text.substr(at + 1), table)) return true;
  }
  return false;
}

}  // namespace llmtool
