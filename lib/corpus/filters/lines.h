// Cutting a text into lines.
#pragma once

#include <cstring>
#include <string_view>

#include "lib/corpus/filters/characters.h"

namespace llmtool {

// f(line) for each part between "\n", the last one too: str.split("\n") of Python.
template <class F>
void for_each_part(std::string_view text, F&& f) {
  while (true) {
    const void* found = text.empty() ? nullptr : std::memchr(text.data(), '\n', text.size());
    if (found == nullptr) return f(text);
    const auto size = static_cast<size_t>(static_cast<const char*>(found) - text.data());
    f(text.substr(0, size));
    text.remove_prefix(size + 1);
  }
}

// Bytes of the line break at text[at], 0 if there is none: those of str.splitlines() of Python,
// "\r\n" as one.
inline size_t line_break_at(std::string_view text, size_t at) {
  const auto c = static_cast<uint8_t>(text[at]);
  if (c == '\r') return at + 1 < text.size() && text[at + 1] == '\n' ? 2 : 1;
  if (c >= 0x0a && c <= 0x0d) return 1;
  if (c >= 0x1c && c <= 0x1e) return 1;
  if (c == 0xc2) return at + 1 < text.size() && text[at + 1] == '\x85' ? 2 : 0;
  if (c != 0xe2 || text.size() - at < 3 || text[at + 1] != '\x80') return 0;
  return text[at + 2] == '\xa8' || text[at + 2] == '\xa9' ? 3 : 0;
}

// The first line break of the text from `at` on, or its size.
size_t next_line_break(std::string_view text, size_t at);

// f(line) for each line of str.splitlines(): no line after a break at the end.
template <class F>
void for_each_line(std::string_view text, F&& f) {
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = next_line_break(text, begin);
    f(text.substr(begin, end - begin));
    begin = end == text.size() ? end : end + line_break_at(text, end);
  }
}

}  // namespace llmtool
