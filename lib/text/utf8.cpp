#include "lib/text/utf8.h"

#include <cstdint>
#include <cstring>

namespace llmtool {
namespace {

constexpr uint64_t kHighBits = 0x8080808080808080;

bool is_continuation(uint8_t c) {
  return (c & 0xc0) == 0x80;
}

// Bytes of the valid sequence at p, 0 if there is none.
size_t sequence_length(const uint8_t* p, size_t room) {
  const uint8_t c = p[0];
  if (c < 0x80) return 1;
  if (c < 0xc2 || c > 0xf4) return 0;
  const size_t n = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
  if (room < n) return 0;
  for (size_t i = 1; i < n; ++i) {
    if (!is_continuation(p[i])) return 0;
  }
  const bool overlong = (c == 0xe0 && p[1] < 0xa0) || (c == 0xf0 && p[1] < 0x90);
  const bool surrogate = c == 0xed && p[1] >= 0xa0;
  const bool too_large = c == 0xf4 && p[1] >= 0x90;
  return overlong || surrogate || too_large ? 0 : n;
}

}  // namespace

size_t valid_character_length(std::string_view text) {
  return sequence_length(reinterpret_cast<const uint8_t*>(text.data()), text.size());
}

size_t first_invalid_utf8(std::string_view text) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  size_t at = 0;
  while (at < text.size()) {
    uint64_t block;
    if (at + sizeof block <= text.size()) {
      std::memcpy(&block, bytes + at, sizeof block);
      if ((block & kHighBits) == 0) {
        at += sizeof block;
        continue;
      }
    }
    const size_t n = sequence_length(bytes + at, text.size() - at);
    if (n == 0) return at;
    at += n;
  }
  return std::string_view::npos;
}

std::string with_valid_utf8(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t valid = first_invalid_utf8(text);
    out += text.substr(0, valid);
    if (valid == std::string_view::npos) break;
    out += "\xef\xbf\xbd";
    text.remove_prefix(valid + 1);
  }
  return out;
}

size_t count_occurrences(std::string_view text, std::string_view what) {
  size_t n = 0;
  for (size_t at = text.find(what); at != text.npos; at = text.find(what, at + what.size())) ++n;
  return n;
}

std::string replace_all(std::string_view text, std::string_view what, std::string_view by) {
  std::string out;
  out.reserve(text.size());
  size_t from = 0;
  for (size_t at = text.find(what); at != text.npos; at = text.find(what, from)) {
    out.append(text, from, at - from).append(by);
    from = at + what.size();
  }
  return out.append(text, from);
}

std::string without_controls(std::string_view text) {
  constexpr std::string_view kReplacement = "\xef\xbf\xbd";
  const std::string valid = with_valid_utf8(text);
  std::string shown;
  for (size_t i = 0; i < valid.size(); ++i) {
    const auto c = static_cast<unsigned char>(valid[i]);
    const bool high = c == 0xc2 && static_cast<unsigned char>(valid[i + 1]) < 0xa0;  // C1
    if ((c < 32 && c != '\n' && c != '\t') || c == 127 || high) {
      shown += kReplacement;
    } else {
      shown += valid[i];
    }
    if (high) ++i;
  }
  return shown;
}

}  // namespace llmtool
