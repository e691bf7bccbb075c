#include "lib/infer/decoded_text.h"

#include <algorithm>

#include "lib/base/error.h"
#include "lib/text/utf8.h"

namespace llmtool {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

struct ByteRange {
  unsigned char low, high;
};

// Unicode 15, table 3-7: how long a character that begins with this byte is, and what its second
// byte may be. 0: no character begins so.
size_t character_length(unsigned char lead, ByteRange& second) {
  second = {0x80, 0xbf};
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  if (lead < 0xe0) return 2;
  if (lead == 0xe0) second.low = 0xa0;
  if (lead == 0xed) second.high = 0x9f;
  if (lead == 0xf0) second.low = 0x90;
  if (lead == 0xf4) second.high = 0x8f;
  return lead < 0xf0 ? 3 : 4;
}

// text begins with no whole valid character. The length of the part that could begin one (1 if no
// character begins so); incomplete: the text ends before that is decided.
size_t maximal_part(std::string_view text, bool& incomplete) {
  ByteRange allowed;
  const size_t length = character_length(static_cast<unsigned char>(text[0]), allowed);
  incomplete = false;
  for (size_t i = 1; i < length; ++i) {
    if (i == text.size()) {
      incomplete = true;
      return i;
    }
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < allowed.low || byte > allowed.high) return i;
    allowed = {0x80, 0xbf};
  }
  return 1;
}

}  // namespace

DecodedText::DecodedText(std::vector<std::string> stop) : stop_(std::move(stop)) {
  // The longest of those that end at the same byte is the first that is found.
  std::ranges::stable_sort(stop_, std::ranges::greater{}, &std::string::size);
  for (const std::string& s : stop_) LLMTOOL_ASSERT(!s.empty());
}

void DecodedText::push_byte(char byte) {
  held_.push_back(byte);
  for (const std::string& s : stop_) {
    if (!held_.ends_with(s)) continue;
    stop_string_ = s;
    held_.resize(held_.size() - s.size());
    return;
  }
}

// How many of the last held bytes may be the beginning of a stop string.
size_t DecodedText::undecided() const {
  size_t longest = 0;
  for (const std::string& s : stop_) {
    for (size_t n = std::min(s.size() - 1, held_.size()); n > longest; --n) {
      if (held_.ends_with(std::string_view(s).substr(0, n))) longest = n;
    }
  }
  return longest;
}

// The first `count` held bytes as UTF-8; without `last` an incomplete character at their end stays.
std::string DecodedText::take(size_t count, bool last) {
  std::string shown;
  std::string_view left = std::string_view(held_).substr(0, count);
  while (!left.empty()) {
    const size_t valid = std::min(first_invalid_utf8(left), left.size());
    shown += left.substr(0, valid);
    left.remove_prefix(valid);
    if (left.empty()) break;
    bool incomplete = false;
    const size_t part = maximal_part(left, incomplete);
    if (incomplete && !last) break;
    shown += kReplacement;
    left.remove_prefix(part);
  }
  held_.erase(0, count - left.size());
  return shown;
}

std::string DecodedText::push(std::string_view bytes) {
  for (const char byte : bytes) {
    if (stopped()) break;
    push_byte(byte);
  }
  return stopped() ? finish() : take(held_.size() - undecided(), false);
}

std::string DecodedText::finish() {
  return take(held_.size(), true);
}

}  // namespace llmtool
