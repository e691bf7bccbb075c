#include "lib/corpus/extract/latex_input.h"

#include "lib/corpus/extract/latex.h"
#include "lib/corpus/extract/plain_text.h"

namespace llmtool {

namespace {

constexpr size_t kLongestArgument = 64 << 10;

}  // namespace

std::string_view LatexInput::take_verbatim() {
  Frame& frame = frames_.back();
  const size_t begin = frame.at;
  frame.at = verbatim_end(frame.text, begin);
  return std::string_view(frame.text).substr(begin, frame.at - begin);
}

std::string LatexInput::take_word() {
  advance();
  std::string word;
  for (int c = peek(); c >= 0 && (is_ascii_letter(static_cast<char>(c)) || c == '@'); c = peek()) {
    word += take();
    // A control word does not go on behind the end of an expansion.
    if (frames_.back().at >= frames_.back().text.size()) break;
  }
  return word;
}

void LatexInput::skip_blanks() {
  bool line_end = false;
  for (int c = peek(); c == ' ' || c == '\t' || (c == '\n' && !line_end); c = peek()) {
    if (c == '\n') {
      const Frame& f = frames_.back();
      size_t next = f.at + 1;
      while (next < f.text.size() && (f.text[next] == ' ' || f.text[next] == '\t')) ++next;
      if (next < f.text.size() && f.text[next] == '\n') return;
      line_end = true;
    }
    advance();
  }
}

void LatexInput::take_spaces(std::string& read) {
  while (peek() >= 0 && is_ascii_space(static_cast<char>(peek()))) read += take();
}

std::string LatexInput::token(std::string& read) {
  const int c = peek();
  if (c < 0) return {};
  std::string token;
  if (c == '\\') {
    token = "\\" + take_word();
    if (token.size() == 1 && peek() >= 0) token += take();
  } else {
    token += take();
    // All bytes of one character.
    while (peek() >= 0x80 && peek() < 0xC0) token += take();
  }
  read += token;
  return token;
}

std::optional<std::string> LatexInput::argument(std::string& read) {
  take_spaces(read);
  const int c = peek();
  if (c < 0 || c == '}') return std::nullopt;
  if (c == '{') return group(read, '{', '}');
  return token(read);
}

std::optional<std::string> LatexInput::group(std::string& read, char open, char close) {
  std::string inside;
  int depth = 0;
  while (peek() >= 0) {
    const char byte = take();
    read += byte;
    if (byte == '\\' && peek() >= 0) {
      inside += byte;
      const char escaped = take();
      read += escaped;
      inside += escaped;
      continue;
    }
    const bool opens = byte == '{' || (open == '[' && depth == 0 && byte == '[');
    const bool closes = byte == '}' || (open == '[' && depth == 1 && byte == close);
    if (closes && --depth == 0) return inside;
    if (depth > 0) inside += byte;
    if (opens) ++depth;
    if (depth < 0 || read.size() > kLongestArgument) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace llmtool
