#include "lib/corpus/extract/plain_text.h"

#include "lib/text/utf8.h"

namespace llmtool {

namespace {

// Appends without white space at its end, and counts the empty lines since the last full one.
class LineJoiner {
 public:
  explicit LineJoiner(std::string& out) : out_(out) {}

  void line_end() {
    while (out_.size() > line_start_ && (out_.back() == ' ' || out_.back() == '\t')) {
      out_.pop_back();
    }
    if (out_.size() > line_start_) {
      empty_ = 0;
    } else if (++empty_ > 1 || out_.empty()) {
      return;
    }
    out_ += '\n';
    line_start_ = out_.size();
  }

 private:
  std::string& out_;
  size_t line_start_ = 0;
  int empty_ = 0;
};

}  // namespace

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_ascii_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_ascii_space(text.back())) text.remove_suffix(1);
  return text;
}

void append_code_point(std::string& out, unsigned c) {
  if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) c = 0xFFFD;
  const auto byte = [&](unsigned value) { out += static_cast<char>(value); };
  if (c < 0x80) {
    byte(c);
  } else if (c < 0x800) {
    byte(0xC0 | c >> 6);
    byte(0x80 | (c & 63));
  } else if (c < 0x10000) {
    byte(0xE0 | c >> 12);
    byte(0x80 | (c >> 6 & 63));
    byte(0x80 | (c & 63));
  } else {
    byte(0xF0 | c >> 18);
    byte(0x80 | (c >> 12 & 63));
    byte(0x80 | (c >> 6 & 63));
    byte(0x80 | (c & 63));
  }
}

std::string clean_lines(std::string_view bytes) {
  std::string repaired;
  if (first_invalid_utf8(bytes) != bytes.npos) {
    repaired = with_valid_utf8(bytes);
    bytes = repaired;
  }
  if (bytes.starts_with("\xef\xbb\xbf")) bytes.remove_prefix(3);
  std::string out;
  out.reserve(bytes.size() + 1);
  LineJoiner lines(out);
  for (size_t i = 0; i < bytes.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(bytes[i]);
    if (c == '\n' || c == '\r') {
      if (c == '\r' && i + 1 < bytes.size() && bytes[i + 1] == '\n') ++i;
      lines.line_end();
    } else if (c == 0xE2 && bytes.substr(i, 3) == "\xe2\x80\xa8") {
      i += 2;
      lines.line_end();
    } else if (c == 0xC2 && static_cast<unsigned char>(bytes[i + 1]) < 0xA0) {
      ++i;  // U+0080-9F; the text is valid: a byte follows
    } else if ((c >= 0x20 && c != 0x7F) || c == '\t') {
      out += bytes[i];
    }
  }
  lines.line_end();
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

}  // namespace llmtool
