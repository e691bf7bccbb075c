// The phrases by which C4 drops lines and pages.
#pragma once

#include <string_view>

namespace llmtool {

struct FoundPhrases {
  bool lorem_ipsum = false;
  bool javascript = false;
  bool policy = false;  // "terms of use", "privacy policy", "cookie policy", "uses cookies", ...
};

// Which of them the text has, ASCII letters of either case.
FoundPhrases find_phrases(std::string_view text);

}  // namespace llmtool
