#include <array>

#include "lib/corpus/extract/latex.h"
#include "lib/corpus/extract/plain_text.h"

namespace llmtool {

std::string_view control_word(std::string_view source, size_t at) {
  size_t end = at + 1;
  while (end < source.size() && (is_ascii_letter(source[end]) || source[end] == '@')) ++end;
  return source.substr(at + 1, end - at - 1);
}

namespace {

constexpr std::array<std::string_view, 8> kVerbatim = {"verbatim",     "verbatim*",    "Verbatim",
                                                       "lstlisting",   "minted",       "alltt",
                                                       "filecontents", "filecontents*"};

class CommentStripper {
 public:
  explicit CommentStripper(std::string_view source) : in_(source) { out_.reserve(source.size()); }

  std::string run() {
    while (at_ < in_.size()) {
      const char c = in_[at_];
      if (c == '%') {
        comment();
      } else if (c == '\\') {
        command();
      } else {
        put(1);
      }
    }
    return std::move(out_);
  }

 private:
  void put(size_t n) {
    n = std::min(n, in_.size() - at_);
    if (skipping_ == 0) out_ += in_.substr(at_, n);
    at_ += n;
  }

  // At a '%'.
  void comment() {
    size_t line = out_.size();
    while (line > 0 && (out_[line - 1] == ' ' || out_[line - 1] == '\t')) --line;
    const bool alone = line == 0 || out_[line - 1] == '\n';
    if (alone && skipping_ == 0) out_.resize(line);
    const size_t end = in_.find('\n', at_);
    at_ = end == in_.npos ? in_.size() : end + 1;
    while (at_ < in_.size() && (in_[at_] == ' ' || in_[at_] == '\t')) ++at_;
    const bool empty_line = at_ < in_.size() && in_[at_] == '\n';
    if (empty_line && !alone && skipping_ == 0) out_ += '\n';
  }

  // At a '\\'.
  void command() {
    const std::string_view word = control_word(in_, at_);
    if (word.empty()) return put(2);
    if (word == "begin") return environment();
    if (word == "verb" || word == "lstinline") return verb(word.size() + 1);
    if (word.starts_with("if") && word != "iff" && word != "ifthenelse" && word != "ifx@") {
      return condition(word);
    }
    if ((word == "else" || word == "fi") && depth_ > 0 && close_condition(word)) return;
    put(word.size() + 1);
  }

  void environment() {
    size_t open = at_ + 6;
    while (open < in_.size() && in_[open] == ' ') ++open;
    const size_t close = in_.find('}', open);
    if (open >= in_.size() || in_[open] != '{' || close == in_.npos || close - open > 40) {
      return put(6);
    }
    const std::string_view name = in_.substr(open + 1, close - open - 1);
    const bool is_comment = name == "comment";
    bool is_verbatim = false;
    for (const std::string_view v : kVerbatim) is_verbatim = is_verbatim || v == name;
    if (!is_comment && !is_verbatim) return put(close + 1 - at_);
    const std::string ending = "\\end{" + std::string(name) + "}";
    const size_t end = in_.find(ending, close);
    const size_t after = end == in_.npos ? in_.size() : end + ending.size();
    if (is_verbatim) return put(after - at_);
    at_ = after;
  }

  void verb(size_t length) {
    size_t mark = at_ + length;
    if (mark < in_.size() && in_[mark] == '*') ++mark;
    if (mark >= in_.size() || is_ascii_letter(in_[mark]) || is_ascii_space(in_[mark]) ||
        in_[mark] == '{') {
      return put(length);
    }
    const size_t line_end = std::min(in_.find('\n', mark), in_.size());
    const size_t end = in_.substr(0, line_end).find(in_[mark], mark + 1);
    put(end == in_.npos ? length : end + 1 - at_);
  }

  // \iffalse begins to skip; any condition inside what is skipped has a \fi of its own. Conditions
  // in text that stays are counted too, so that their \fi is not taken for ours.
  void condition(std::string_view word) {
    if (skipping_ > 0) {
      ++depth_;
      at_ += word.size() + 1;
    } else if (word == "iffalse") {
      skipping_ = ++depth_;
      kept_else_ = 0;
      at_ += word.size() + 1;
    } else {
      if (kept_else_ > 0) ++depth_;
      put(word.size() + 1);
    }
  }

  // Whether \else or \fi was of an \iffalse, or inside what is skipped.
  bool close_condition(std::string_view word) {
    if (skipping_ == 0 && kept_else_ == 0) return false;
    if (skipping_ > 0) {
      if (word == "fi") {
        if (depth_ == skipping_) skipping_ = 0;
        --depth_;
      } else if (depth_ == skipping_) {  // the other branch stays
        kept_else_ = depth_;
        skipping_ = 0;
      }
      at_ += word.size() + 1;
      return true;
    }
    if (word != "fi") return false;
    const bool ours = depth_ == kept_else_;
    --depth_;
    if (!ours) return false;
    kept_else_ = 0;
    at_ += word.size() + 1;
    return true;
  }

  std::string_view in_;
  size_t at_ = 0;
  std::string out_;
  int depth_ = 0;      // of conditions since the outermost \iffalse
  int skipping_ = 0;   // the depth whose text is left out
  int kept_else_ = 0;  // the depth whose \else branch is being copied
};

}  // namespace

std::string without_latex_comments(std::string_view source) {
  return CommentStripper(source).run();
}

}  // namespace llmtool
