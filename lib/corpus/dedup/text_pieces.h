// The parts of a text that are compared with each other.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace llmtool {

// document   the whole text
// line       what stands between two "\n", before the first and behind the last
// paragraph  the same: what CCNet calls a paragraph is a line
// block      lines that stand together: between lines that are empty or white space only
enum class TextUnit { kDocument, kLine, kParagraph, kBlock };

const std::vector<std::string>& text_unit_names();
TextUnit text_unit_of(std::string_view name);  // Fault::kUsage for an unknown name
std::string_view name_of(TextUnit unit);

// text[begin, end): what separates it from the piece before, the piece itself at [content,
// content_end), and behind the last block of a text what is left of it.
struct TextPiece {
  size_t begin, content, content_end, end;
};

// Calls f(begin, end) for each line: the contents that cut_text() gives.
template <class F>
void for_each_text_line(std::string_view text, F&& f) {
  for (size_t begin = 0;;) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    f(begin, end);
    if (end == text.size()) return;
    begin = end + 1;
  }
}

// All bytes of the text are in one piece or another. At least one piece, except for a text without
// a block.
void cut_text(std::string_view text, TextUnit unit, std::vector<TextPiece>& pieces);

// The pieces that are not removed; what separated the first of them from one that is, goes too.
// is_removed has a value for each piece.
std::string join_kept(std::string_view text, const std::vector<TextPiece>& pieces,
                      const std::vector<bool>& is_removed);

}  // namespace llmtool
