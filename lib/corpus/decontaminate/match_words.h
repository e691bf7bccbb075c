// Words as decontamination compares them, and where they stand in the text.
//
// Lower case; ASCII letters and digits are words, everything else in ASCII parts them. Beyond
// ASCII: normalised as datatrove's simplify_text does (lower case, its punctuation parts words, NFD
// without marks of category Mn); ideographs and kana are words of one character each. Numbers as
// they are, or, with zero_numbers, each run of digits (and one "." or "," with digits behind it) as
// 0, as simplify_text does. What spaCy's tokenizer would split further (cannot, 10km) stays whole.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace llmtool {

struct MatchWord {
  uint64_t hash;
  uint32_t begin, end;  // bytes of the text

  bool operator==(const MatchWord&) const = default;
};

// Replaces the words. The text is valid UTF-8 and has less than 4 GiB (Fault::kInput).
void list_match_words(std::string_view text, bool zero_numbers, std::vector<MatchWord>& words);

}  // namespace llmtool
