// The text of an answer as its tokens come, byte for byte until a stop string, and as valid UTF-8
// for whoever reads along.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace llmtool {

class DecodedText {
 public:
  // The text ends before the first of these to be complete (of several that end at one byte, the
  // longest), wherever the tokens' borders fall. None may be empty.
  explicit DecodedText(std::vector<std::string> stop = {});

  // Takes the bytes of a token; returns what can be shown by now. Held back are bytes that may turn
  // out to be a stop string, and characters that are not complete. What is no UTF-8 becomes U+FFFD,
  // one for each maximal part of a character (Unicode 15, section 3.9), as Python's
  // bytes.decode(errors="replace") does.
  std::string push(std::string_view bytes);
  // At the end: what was held back.
  std::string finish();

  bool stopped() const { return !stop_string_.empty(); }
  const std::string& stop_string() const { return stop_string_; }

 private:
  void push_byte(char byte);
  size_t undecided() const;
  std::string take(size_t count, bool last);

  std::vector<std::string> stop_;
  std::string stop_string_;  // the one that was found
  std::string held_;
};

}  // namespace llmtool
