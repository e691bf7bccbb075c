// Letters of ASCII; other bytes stay.
#pragma once

#include <string>
#include <string_view>

namespace llmtool {

inline char ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

inline std::string ascii_lower(std::string_view text) {
  std::string copy(text);
  for (char& c : copy) c = ascii_lower(c);
  return copy;
}

}  // namespace llmtool
