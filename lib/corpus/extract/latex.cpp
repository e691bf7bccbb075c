#include "lib/corpus/extract/latex.h"

#include <algorithm>
#include <vector>

#include "lib/corpus/extract/latex_macros.h"
#include "lib/corpus/extract/plain_text.h"

namespace llmtool {

namespace {

// Calls f(at, word) for each control word outside verbatim text; f returns false to stop.
template <class F>
void for_each_command(std::string_view text, F&& f) {
  for (size_t at = text.find('\\'); at != text.npos; at = text.find('\\', at)) {
    const std::string_view word = control_word(text, at);
    if (!f(at, word)) return;
    const size_t behind = verbatim_end(text, at);
    at = behind > at ? behind : at + (word.empty() ? 2 : word.size() + 1);
    if (at >= text.size()) return;
  }
}

// One past the arguments behind `at`: [...], {...}, or both.
size_t behind_argument(std::string_view text, size_t at) {
  size_t i = at;
  while (i < text.size() && (text[i] == ' ' || text[i] == '\n')) ++i;
  if (i < text.size() && text[i] == '[') {
    const size_t close = text.substr(i, 400).find(']');
    if (close == text.npos) return at;
    at = i += close + 1;
  }
  if (i >= text.size() || text[i] != '{') return at;
  int depth = 0;
  for (; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '{') {
      ++depth;
    } else if (text[i] == '}' && --depth == 0) {
      return i + 1;
    }
  }
  return at;
}

struct Piece {
  size_t begin, end;
};

// What of the paper goes, in order.
class Cuts {
 public:
  Cuts(std::string_view text, const LatexOptions& options) : text_(text), options_(options) {}

  std::vector<Piece> find(bool& section_found) {
    for_each_command(text_, [&](size_t at, std::string_view word) { return look(at, word); });
    section_found = first_section_ != text_.npos;
    if (in_bibliography_) add(bibliography_begin_, text_.size());
    const size_t start = section_found ? first_section_ : document_begin_;
    if (options_.keep_abstract && abstract_.end > 0 && abstract_.end <= start) {
      pieces_.push_back({0, abstract_.begin});
      pieces_.push_back({abstract_.end, start});
    } else {
      pieces_.push_back({0, start});
    }
    pieces_.push_back({document_end_, text_.size()});
    std::sort(pieces_.begin(), pieces_.end(),
              [](const Piece& a, const Piece& b) { return a.begin < b.begin; });
    return std::move(pieces_);
  }

 private:
  bool look(size_t at, std::string_view word) {
    const size_t behind = at + word.size() + 1;
    if (word == "begin" || word == "end") return environment(at, behind, word == "begin");
    if ((word == "section" || word == "chapter") && first_section_ == text_.npos) {
      first_section_ = at;
    } else if (word == "maketitle" && document_begin_ < behind && first_section_ == text_.npos) {
      document_begin_ = behind;
    } else if (word == "bibliography" || word == "printbibliography" ||
               word == "bibliographystyle" || word == "addbibresource" || word == "nocite") {
      add(at, behind_argument(text_, behind));
    } else if (word == "appendix" && !options_.keep_appendix) {
      return stop(at);
    }
    return true;
  }

  bool environment(size_t at, size_t behind, bool begins) {
    size_t after = behind;
    const std::string_view name = environment_name(text_, behind, &after);
    if (name == "document") {
      if (begins) {
        document_begin_ = after;
        first_section_ = text_.npos;  // those of the preamble are arguments: \titleformat{\section}
        return true;
      }
      return stop(at);
    }
    if (name == "thebibliography" || name == "filecontents" || name == "filecontents*") {
      if (begins && !in_bibliography_) {
        in_bibliography_ = true;
        bibliography_begin_ = at;
      } else if (!begins && in_bibliography_) {
        in_bibliography_ = false;
        add(bibliography_begin_, after);
      }
    } else if (name == "abstract") {
      (begins ? abstract_.begin : abstract_.end) = begins ? at : after;
    } else if ((name == "appendix" || name == "appendices") && begins && !options_.keep_appendix) {
      return stop(at);
    }
    return true;
  }

  bool stop(size_t at) {
    document_end_ = at;
    return false;
  }
  void add(size_t begin, size_t end) { pieces_.push_back({begin, end}); }

  std::string_view text_;
  const LatexOptions& options_;
  std::vector<Piece> pieces_;
  size_t first_section_ = std::string_view::npos;
  size_t document_begin_ = 0;
  size_t document_end_ = text_.size();
  Piece abstract_{0, 0};
  bool in_bibliography_ = false;
  size_t bibliography_begin_ = 0;
};

}  // namespace

LatexText extract_latex(std::string_view source, const LatexOptions& options) {
  const std::string lines = clean_lines(source);
  std::string text = without_latex_comments(lines);
  LatexText result;
  if (options.expand_macros) {
    ExpandedLatex expanded = expand_macros(text, text.size() * 4 + (size_t{1} << 20));
    text = std::move(expanded.text);
    result.macros = expanded.macros;
    result.expansions = expanded.expansions;
    result.expansion_stopped = expanded.stopped;
  }
  std::string kept;
  size_t at = 0;
  for (const Piece& piece : Cuts(text, options).find(result.section_found)) {
    if (piece.begin > at) kept += std::string_view(text).substr(at, piece.begin - at);
    at = std::max(at, piece.end);
  }
  if (at < text.size()) kept += std::string_view(text).substr(at);
  if (options.require_section && !result.section_found) return result;
  result.text = clean_lines(kept);
  while (result.text.starts_with('\n')) result.text.erase(0, 1);
  return result;
}

}  // namespace llmtool
