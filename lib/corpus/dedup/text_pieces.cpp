#include "lib/corpus/dedup/text_pieces.h"

#include "lib/base/error.h"
#include "lib/corpus/filters/characters.h"

namespace llmtool {
namespace {

void cut_lines(std::string_view text, std::vector<TextPiece>& pieces) {
  for_each_text_line(text, [&](size_t content, size_t end) {
    pieces.push_back({content == 0 ? 0 : content - 1, content, end, end});
  });
}

void cut_blocks(std::string_view text, std::vector<TextPiece>& pieces) {
  bool inside = false;
  size_t begin = 0;  // of what belongs to no piece yet
  for (size_t line = 0; line < text.size();) {
    const size_t end = std::min(text.find('\n', line), text.size());
    const bool blank = stripped(text.substr(line, end - line)).empty();
    if (!blank) {
      if (!inside) pieces.push_back({begin, line, end, end});
      pieces.back().content_end = pieces.back().end = end;
      begin = end;
    }
    inside = !blank;
    line = end + 1;
  }
  if (!pieces.empty()) pieces.back().end = text.size();
}

}  // namespace

const std::vector<std::string>& text_unit_names() {
  static const std::vector<std::string> names{"document", "line", "paragraph", "block"};
  return names;
}

TextUnit text_unit_of(std::string_view name) {
  const auto& names = text_unit_names();
  const auto at = std::find(names.begin(), names.end(), name);
  check(at != names.end(), Fault::kUsage, "unknown unit '", name, "'");
  return static_cast<TextUnit>(at - names.begin());
}

std::string_view name_of(TextUnit unit) {
  return text_unit_names()[static_cast<size_t>(unit)];
}

void cut_text(std::string_view text, TextUnit unit, std::vector<TextPiece>& pieces) {
  pieces.clear();
  switch (unit) {
    case TextUnit::kDocument:
      pieces.push_back({0, 0, text.size(), text.size()});
      break;
    case TextUnit::kLine:
    case TextUnit::kParagraph:
      cut_lines(text, pieces);
      break;
    case TextUnit::kBlock:
      cut_blocks(text, pieces);
      break;
  }
}

std::string join_kept(std::string_view text, const std::vector<TextPiece>& pieces,
                      const std::vector<bool>& is_removed) {
  std::string kept;
  kept.reserve(text.size());
  bool first = true;
  for (size_t i = 0; i < pieces.size();) {
    if (is_removed[i]) {
      ++i;
      continue;
    }
    const size_t begin = first && i > 0 ? pieces[i].content : pieces[i].begin;
    first = false;
    size_t end = 0;
    for (; i < pieces.size() && !is_removed[i]; ++i) end = pieces[i].end;
    kept += text.substr(begin, end - begin);
  }
  return kept;
}

}  // namespace llmtool
