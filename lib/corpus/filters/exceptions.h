// The exceptions of spaCy's English tokenizer.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/attributes.h"

namespace llmtool {

// By a hash of their bytes.
class Exceptions {
 public:
  struct Entry {
    std::string text;
    std::vector<uint32_t> parts;   // bytes of each word
    std::vector<uint32_t> pieces;  // of the words it would be cut into were it none, if several
  };

  static constexpr size_t kLongest = 31;  // bytes of one, or more

  static const Exceptions& get();

  // False: the text is none. An empty one is none.
  LLMTOOL_INLINE bool may_have(std::string_view text) const {
    return text.size() - 1 < kLongest && may_have_[sketch(text)];
  }

  // False: no exception of several pieces has this one as its first.
  bool may_begin(std::string_view piece) const {
    return piece.size() - 1 < kLongest && may_begin_[sketch(piece)];
  }

  const Entry* find(std::string_view text) const {
    return may_have(text) ? find_for_sure(text) : nullptr;
  }

 private:
  Exceptions();
  void add(std::string_view line);
  const Entry* find_for_sure(std::string_view text) const;

  // 16 bits that few texts share with an exception.
  static size_t sketch(std::string_view text) {
    const auto byte = [&](size_t i) { return size_t{static_cast<uint8_t>(text[i])}; };
    const size_t last = text.size() - 1;
    return (byte(0) * 0x9e5 + byte(last / 2) * 0x2f3 + byte(last) * 0x13 + last * 0x1d01) & 0xffff;
  }

  static constexpr size_t kMask = (1 << 14) - 1;
  std::vector<Entry> entries_;
  std::array<uint16_t, kMask + 1> places_{};
  std::bitset<65536> may_have_, may_begin_;  // by sketch()
};

}  // namespace llmtool
