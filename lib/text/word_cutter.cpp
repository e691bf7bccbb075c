#include "lib/text/word_cutter.h"

namespace llmtool {
namespace {

// Cuts are worth their cost only between words, not wherever no piece happens to join two letters.
enum class ByteClass { kSpace, kNewline, kLetter, kDigit, kOther };

ByteClass class_of(int c) {
  if (c == ' ') return ByteClass::kSpace;
  if (c == '\n') return ByteClass::kNewline;
  if (c >= '0' && c <= '9') return ByteClass::kDigit;
  if (c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return ByteClass::kLetter;
  return ByteClass::kOther;
}

}  // namespace

WordCutter::WordCutter(const std::vector<std::string_view>& pieces) {
  std::bitset<65536> joined;
  for (const std::string_view piece : pieces) {
    for (size_t i = 1; i < piece.size(); ++i) joined.set(index(piece[i - 1], piece[i]));
  }
  for (int left = 0; left < 256; ++left) {
    for (int right = 0; right < 256; ++right) {
      const size_t i = static_cast<size_t>(left) << 8 | static_cast<size_t>(right);
      cuts_[i] = class_of(left) != class_of(right) && !joined[i];
    }
  }
}

}  // namespace llmtool
