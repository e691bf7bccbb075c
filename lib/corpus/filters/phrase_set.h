// Finding many words and phrases in a text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace llmtool {

class PhraseSet {
 public:
  // Phrases in any case. With borders: a phrase counts only where no letter, digit or "_" (\w of
  // Python's re) stands before or behind it, as in C4's expression (?:\W|^)(...)(?:\W|$).
  PhraseSet(const std::vector<std::string>& phrases, bool borders);

  struct Found {
    uint64_t times = 0;
    std::string_view first;  // of the lower-cased text
  };
  // lower: the text in lower case. From the left, of those that begin at one place the longest, the
  // next behind it.
  Found count_in(std::string_view lower) const;

 private:
  Found count_bordered(std::string_view lower) const;
  Found count_anywhere(std::string_view lower) const;

  bool borders_;
  // By a hash of its key (with borders the leading letters and digits, else the first two bytes):
  // the phrases, the longest first.
  std::unordered_map<uint64_t, std::vector<std::string>> phrases_;
  std::vector<bool> begins_;  // by the first two bytes
};

}  // namespace llmtool
