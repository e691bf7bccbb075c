// Plain text as the extract steps leave it.
#pragma once

#include <string>
#include <string_view>

namespace llmtool {

// Bytes as clean UTF-8 lines: U+FFFD for each byte outside a valid sequence, no byte order mark,
// CR LF and CR and U+2028 as LF, no control characters but tab and LF (U+0000-1F, U+007F-9F), no
// white space at the ends of lines, at most one empty line in a row, none at both ends, no LF at
// the end.
std::string clean_lines(std::string_view bytes);

// The lines of a text without their "\n".
template <class F>
void for_each_line(std::string_view text, F&& f) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    f(text.substr(0, end));
    if (end == text.npos) return;
    text.remove_prefix(end + 1);
  }
}

inline bool is_ascii_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}
inline bool is_ascii_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
inline bool is_ascii_digit(char c) {
  return c >= '0' && c <= '9';
}
inline char ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
std::string_view trimmed(std::string_view text);  // ASCII white space

// Appends the UTF-8 of a code point; U+FFFD for surrogates and what is above U+10FFFF.
void append_code_point(std::string& out, unsigned code_point);

}  // namespace llmtool
