// What TeX reads: the source, and on top of it the expansions that are being read instead.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace llmtool {

class LatexInput {
 public:
  explicit LatexInput(std::string_view source) { frames_.push_back({std::string(source), 0}); }

  // The next character; -1 at the end. An expansion that is read is let go of.
  int peek() {
    while (frames_.size() > 1 && frames_.back().at >= frames_.back().text.size()) {
      frames_.pop_back();
    }
    const Frame& f = frames_.back();
    return f.at < f.text.size() ? static_cast<unsigned char>(f.text[f.at]) : -1;
  }
  // The one behind it in the same frame.
  int following() const {
    const Frame& f = frames_.back();
    return f.at + 1 < f.text.size() ? static_cast<unsigned char>(f.text[f.at + 1]) : -1;
  }
  void advance() { ++frames_.back().at; }
  char take() {
    const char c = static_cast<char>(peek());
    advance();
    return c;
  }

  // Is read before what is left.
  void push(std::string expansion) {
    peek();
    frames_.push_back({std::move(expansion), 0});
  }

  // At '\\': the verbatim text that begins there (verbatim_end()), passed by; empty if none does.
  // Valid until the next push().
  std::string_view take_verbatim();
  // At '\\': the control word, whose letters may be none.
  std::string take_word();
  // Behind a control word: TeX skips blanks, and one line end, but not an empty line.
  void skip_blanks();

  // These append what they read to `read`.
  void take_spaces(std::string& read);
  // One: a control sequence, or a character; empty at the end.
  std::string token(std::string& read);
  // Of a group in braces, or one token; nullopt if there is none.
  std::optional<std::string> argument(std::string& read);
  // From `open` to its `close`, without them; nullopt if it does not end, or is too long.
  std::optional<std::string> group(std::string& read, char open, char close);

 private:
  struct Frame {
    std::string text;
    size_t at;
  };

  std::vector<Frame> frames_;
};

}  // namespace llmtool
