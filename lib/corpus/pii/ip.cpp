#include <arpa/inet.h>
#include <array>
#include <cstring>

#include "lib/corpus/pii/scan.h"

namespace llmtool::pii {
namespace {

struct Network {
  uint32_t address;
  int bits;
};
constexpr uint32_t v4(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}
// The special-purpose registry of IANA (RFC 6890) and multicast.
constexpr Network kNotPublic[] = {
    {v4(0, 0, 0, 0), 8},      {v4(10, 0, 0, 0), 8},     {v4(100, 64, 0, 0), 10},
    {v4(127, 0, 0, 0), 8},    {v4(169, 254, 0, 0), 16}, {v4(172, 16, 0, 0), 12},
    {v4(192, 0, 0, 0), 24},   {v4(192, 0, 2, 0), 24},   {v4(192, 88, 99, 0), 24},
    {v4(192, 168, 0, 0), 16}, {v4(198, 18, 0, 0), 15},  {v4(198, 51, 100, 0), 24},
    {v4(203, 0, 113, 0), 24}, {v4(224, 0, 0, 0), 3},
};

bool is_public(uint32_t address) {
  for (const Network& network : kNotPublic) {
    if ((address ^ network.address) >> (32 - network.bits) == 0) return false;
  }
  return true;
}

// Reads four octets from i. Returns their end, or npos.
size_t read_octets(std::string_view text, size_t i, std::array<uint32_t, 4>& octets) {
  for (size_t part = 0; part < 4; ++part) {
    if (part > 0 && at(text, i++) != '.') return text.npos;
    const size_t begin = i;
    uint32_t value = 0;
    while (i - begin < 4 && is_digit(at(text, i))) value = value * 10 + (text[i++] - '0');
    const size_t length = i - begin;
    if (length == 0 || length > 3 || value > 255) return text.npos;
    if (length > 1 && text[begin] == '0') return text.npos;
    octets[part] = value;
  }
  return i;
}

template <size_t N>
bool is_one_of(std::string_view word, const std::string_view (&list)[N]) {
  for (const std::string_view entry : list) {
    if (entry == word) return true;
  }
  return false;
}

bool behind_version_word(std::string_view text, size_t i) {
  static constexpr std::string_view kWords[] = {
      "v",       "version", "versions", "ver",    "release",  "releases",  "firmware",
      "section", "chapter", "sec",      "build",  "rev",      "update",    "clause",
      "article", "driver",  "bios",     "kernel", "software", "paragraph", "oid"};
  const WordsBefore words = words_before(text, i, 1);
  return words.count > 0 && is_one_of(words.word[0], kWords);
}

bool behind_address_word(std::string_view text, size_t i) {
  static constexpr std::string_view kWords[] = {
      "ip",    "ipv",    "address", "addresses", "host",       "ping", "http",
      "https", "server", "dns",     "gateway",   "nameserver", "ssh"};
  const WordsBefore words = words_before(text, i, 2);
  for (size_t k = 0; k < words.count; ++k) {
    if (is_one_of(words.word[k], kWords)) return true;
  }
  return false;
}

// A port or the bits of a network, as no version has them.
bool before_port_or_network(std::string_view text, size_t end) {
  const char mark = at(text, end);
  return (mark == ':' || mark == '/') && is_digit(at(text, end + 1));
}

// i: the dot behind the first octet. Returns where to go on.
size_t look_at_v4(std::string_view text, size_t i, bool private_too, Spans& spans) {
  size_t begin = i;
  while (begin > 0 && i - begin < 4 && is_digit(text[begin - 1])) --begin;
  const char left = before(text, begin);
  std::array<uint32_t, 4> octets{};
  const size_t end = read_octets(text, begin, octets);
  if (end == text.npos) return i + 1;
  const char right = at(text, end);
  const bool longer = right == '.' && is_digit(at(text, end + 1));
  if (is_alnum(left) || left == '.' || left == '_' || left == '-' || is_alnum(right) ||
      right == '_' || longer) {
    return i + 1;
  }
  const uint32_t address = v4(octets[0], octets[1], octets[2], octets[3]);
  const bool open = is_public(address);
  if (!private_too && !open) return end;
  if (behind_version_word(text, begin)) return end;
  // Version numbers and sections look the same, but have few digits.
  const bool few_digits = end - begin < 3 + 8;
  if (open && few_digits && !behind_address_word(text, begin) &&
      !before_port_or_network(text, end)) {
    return end;
  }
  spans.push_back({begin, end, PiiKind::kIp});
  return end;
}

bool is_v6_char(char c) {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f') || c == ':' || c == '.';
}

bool accepts_v6(const uint8_t (&address)[16], bool private_too) {
  const bool unicast = (address[0] & 0xe0) == 0x20;  // 2000::/3
  const bool documentation = memcmp(address, "\x20\x01\x0d\xb8", 4) == 0;
  if (unicast && !documentation) return true;
  const bool local = (address[0] & 0xfe) == 0xfc || (address[0] == 0xfe && address[1] >> 6 == 2);
  return private_too && (local || documentation);
}

// i: a colon with a hexadecimal digit or a colon on both sides, or one of them and a colon.
size_t look_at_v6(std::string_view text, size_t i, bool private_too, Spans& spans) {
  constexpr size_t kLongest = 45;
  size_t begin = i, end = i + 1;
  while (begin > 0 && i - begin <= kLongest && is_v6_char(text[begin - 1])) --begin;
  while (end - i <= kLongest && is_v6_char(at(text, end))) ++end;
  const size_t resume = end;
  while (end > i + 1 && (text[end - 1] == '.' || (text[end - 1] == ':' && text[end - 2] != ':'))) {
    --end;
  }
  char spelling[48] = {};
  uint8_t address[16];
  if (end - begin > kLongest || is_alnum(before(text, begin)) || is_alnum(at(text, end))) {
    return resume;
  }
  text.copy(spelling, end - begin, begin);
  if (inet_pton(AF_INET6, spelling, address) != 1) return resume;
  // The first group in four digits: a::b is a name of C++ rather than an address.
  const std::string_view found(spelling);
  if (found.find(':') != 4 || !accepts_v6(address, private_too)) return resume;
  spans.push_back({begin, end, PiiKind::kIp});
  return resume;
}

}  // namespace

void find_addresses(std::string_view text, bool private_too, Spans& spans) {
  using namespace detail;
  each_candidate(
      text,
      [](__m128i left, __m128i here, __m128i right) {
        return _mm_and_si128(equal(here, '.'), _mm_and_si128(digits(left), digits(right)));
      },
      [&](size_t i) { return look_at_v4(text, i, private_too, spans); });
  const auto hexadecimal = [](__m128i c) {
    return _mm_or_si128(digits(c), in_range(_mm_or_si128(c, _mm_set1_epi8(0x20)), 'a', 'f'));
  };
  each_candidate(
      text,
      [&](__m128i left, __m128i here, __m128i right) {
        return _mm_and_si128(
            equal(here, ':'),
            _mm_and_si128(hexadecimal(left), _mm_or_si128(hexadecimal(right), equal(right, ':'))));
      },
      [&](size_t i) { return look_at_v6(text, i, private_too, spans); });
}

}  // namespace llmtool::pii
