// Cuts a text where no piece of a vocabulary can join what stands left and right, so that the parts
// can be encoded one by one.
#pragma once

#include <bitset>
#include <cstdint>
#include <string_view>
#include <vector>

namespace llmtool {

class WordCutter {
 public:
  // Pieces that a text can turn into, a space written as ' '.
  explicit WordCutter(const std::vector<std::string_view>& pieces);

  // The end of the part that begins at `begin` < text.size().
  size_t end_of_part(std::string_view text, size_t begin) const {
    size_t i = begin + 1;
    while (i < text.size() && !cuts_[index(text[i - 1], text[i])]) ++i;
    return i;
  }

 private:
  static size_t index(char left, char right) {
    return size_t{static_cast<uint8_t>(left)} << 8 | static_cast<uint8_t>(right);
  }

  std::bitset<65536> cuts_;  // by the bytes left and right
};

}  // namespace llmtool
