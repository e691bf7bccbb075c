// The normalisation rules of a SentencePiece model (NormalizerSpec.precompiled_charsmap): which
// bytes become which. The format: u32 bytes of a trie, the trie, the replacements, each ended by a
// zero byte. The trie is a double array of Darts-clone: units of u32, where a unit has the label of
// the step to it (bits 0-7, 31), whether a key ends there (bit 8), and the offset to its children
// (bits 9-31); the value of a key is the position of its replacement.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace llmtool {

class Charsmap {
 public:
  static constexpr size_t kMaxKey = 255;          // bytes
  static constexpr size_t kMaxReplacement = 255;  // bytes; U+FDFA becomes 33 of them

  Charsmap() = default;  // no rules
  // bytes have no problem.
  explicit Charsmap(std::string_view bytes);

  // Why bytes cannot be used: a trie that points outside or runs in circles, keys or replacements
  // longer than the limits, replacements that are not UTF-8. Empty if they can.
  static std::string problem_of(std::string_view bytes);

  struct Match {
    size_t length = 0;  // of the text that is replaced; 0: no rule
    std::string_view replacement;
  };
  // The longest key that text begins with.
  Match longest(std::string_view text) const;

  // Whether a key begins with these bytes.
  bool continues(std::string_view prefix) const;
  bool may_start(unsigned char c) const { return starts_[c]; }

 private:
  std::vector<uint32_t> units_;
  std::string replacements_;
  std::array<bool, 256> starts_{};
};

}  // namespace llmtool
