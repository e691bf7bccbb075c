#include <algorithm>
#include <array>
#include <unordered_set>
#include <vector>

#include "lib/corpus/extract/latex.h"
#include "lib/corpus/extract/plain_text.h"

namespace llmtool {

std::string_view control_word(std::string_view source, size_t at) {
  size_t end = at + 1;
  while (end < source.size() && (is_ascii_letter(source[end]) || source[end] == '@')) ++end;
  return source.substr(at + 1, end - at - 1);
}

std::string_view environment_name(std::string_view source, size_t at, size_t* after) {
  while (at < source.size() && source[at] == ' ') ++at;
  if (at >= source.size() || source[at] != '{') return {};
  const size_t length = source.substr(at, 61).find('}');
  if (length == source.npos) return {};
  if (after != nullptr) *after = at + length + 1;
  return source.substr(at + 1, length - 1);
}

namespace {

constexpr std::array<std::string_view, 8> kVerbatim = {"verbatim",     "verbatim*",    "Verbatim",
                                                       "lstlisting",   "minted",       "alltt",
                                                       "filecontents", "filecontents*"};

constexpr std::array<std::string_view, 4> kUrlCommands = {"url", "href", "path", "nolinkurl"};
// An address that is longer or has more braces in braces has lost one; both keep a text of such
// addresses as cheap as any other.
constexpr size_t kMostUrl = 4096;
constexpr int kMostUrlDepth = 8;

// One past the address in braces at `open`, in which "%" and "\\" are characters; npos if it is
// none.
size_t address_end(std::string_view source, size_t open) {
  int depth = 0;
  const size_t most = std::min(source.size(), open + kMostUrl);
  for (size_t i = open; i < most; ++i) {
    if (source[i] == '\n' && i + 1 < most && source[i + 1] == '\n') break;
    if (source[i] == '\\' && i + 1 < most) {
      ++i;
    } else if (source[i] == '{') {
      if (++depth > kMostUrlDepth) break;
    } else if (source[i] == '}' && --depth == 0) {
      return i + 1;
    }
  }
  return source.npos;
}

// One past \verb|...|; npos if `mark` is no delimiter, or none closes on its line.
size_t delimited_end(std::string_view source, size_t mark) {
  if (mark >= source.size() || is_ascii_letter(source[mark]) || is_ascii_space(source[mark]) ||
      source[mark] == '{') {
    return source.npos;
  }
  const char ends[] = {source[mark], '\n'};
  const size_t end = source.find_first_of(std::string_view(ends, 2), mark + 1);
  return end == source.npos || source[end] == '\n' ? source.npos : end + 1;
}

// The \end of a verbatim environment; npos if it is another. `behind`: the word "begin".
size_t environment_end(std::string_view source, size_t behind) {
  size_t after = behind;
  const std::string_view name = environment_name(source, behind, &after);
  if (std::ranges::find(kVerbatim, name) == kVerbatim.end()) return source.npos;
  return std::min(source.find("\\end{" + std::string(name) + "}", after), source.size());
}

}  // namespace

size_t verbatim_end(std::string_view source, size_t at) {
  const std::string_view word = control_word(source, at);
  size_t behind = at + word.size() + 1, end = source.npos;
  if (word == "begin") {
    end = environment_end(source, behind);
  } else if (word == "verb" || word == "lstinline") {
    if (behind < source.size() && source[behind] == '*') ++behind;
    end = delimited_end(source, behind);
  } else if (std::ranges::find(kUrlCommands, word) != kUrlCommands.end()) {
    while (behind < source.size() && source[behind] == ' ') ++behind;
    const char mark = behind < source.size() ? source[behind] : ' ';
    if (mark == '{') end = address_end(source, behind);
    if (mark == '|') end = delimited_end(source, behind);  // other marks are TikZ's \path
  }
  return end == source.npos ? at : end;
}

namespace {

// TeX's, e-TeX's and pdfTeX's, without their "if".
constexpr std::array<std::string_view, 26> kConditions = {
    "",          "cat",       "num",          "dim",       "odd",    "vmode",    "hmode",
    "mmode",     "inner",     "void",         "hbox",      "vbox",   "x",        "eof",
    "true",      "false",     "case",         "defined",   "csname", "fontchar", "incsname",
    "pdfabsnum", "pdfabsdim", "pdfprimitive", "primitive", "absnum"};

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
    if (skipping_ == 0) {  // what is skipped is no more than tokens
      if (const size_t end = verbatim_end(in_, at_); end > at_) return put(end - at_);
      if (word == "begin") return environment();
    }
    if (word == "newif") return new_condition();
    if (is_condition(word)) return condition(word);
    if ((word == "else" || word == "fi") && !open_.empty() && close_condition(word)) return;
    put(word.size() + 1);
  }

  void environment() {
    size_t after = at_ + 6;
    const std::string_view name = environment_name(in_, after, &after);
    if (name != "comment") return put(after - at_);
    constexpr std::string_view kEnding = "\\end{comment}";
    const size_t end = in_.find(kEnding, after);
    at_ = end == in_.npos ? in_.size() : end + kEnding.size();
  }

  // \newif\ifname makes a condition, it is none.
  void new_condition() {
    size_t end = at_ + 6;
    while (end < in_.size() && in_[end] == ' ') ++end;
    if (end < in_.size() && in_[end] == '\\') {
      const std::string_view word = control_word(in_, end);
      if (skipping_ == 0) declared_.insert(word);
      end += word.size() + 1;
    }
    put(end - at_);
  }

  // Whether the word at at_ has a \fi of its own: a condition of TeX or of \newif. Of what starts
  // with "if" besides, packages declare conditions, and macros with arguments in braces
  // (\iftoggle).
  bool is_condition(std::string_view word) const {
    if (!word.starts_with("if") || word == "iff") return false;
    if (std::ranges::find(kConditions, word.substr(2)) != kConditions.end()) return true;
    size_t behind = at_ + word.size() + 1;
    while (behind < in_.size() && in_[behind] == ' ') ++behind;
    return declared_.contains(word) || behind >= in_.size() || in_[behind] != '{';
  }

  // \iffalse begins to skip; any condition inside what is skipped has a \fi of its own. Conditions
  // in text that stays are kept in mind, too, so that their \fi is not taken for ours.
  void condition(std::string_view word) {
    if (skipping_ == 0 && word != "iffalse") {
      open_.push_back(Branch::kOther);
      return put(word.size() + 1);
    }
    open_.push_back(Branch::kSkipped);
    if (skipping_ == 0) skipping_ = open_.size();
    at_ += word.size() + 1;
  }

  // Whether \else or \fi was of an \iffalse, or inside what is skipped.
  bool close_condition(std::string_view word) {
    const bool ours = open_.back() != Branch::kOther;
    if (word == "fi") {
      if (skipping_ == open_.size()) skipping_ = 0;
      open_.pop_back();
    } else if (skipping_ > 0 && skipping_ == open_.size()) {  // the other branch stays
      open_.back() = Branch::kElse;
      skipping_ = 0;
    }
    if (ours) at_ += word.size() + 1;
    return ours;
  }

  enum class Branch { kSkipped, kElse, kOther };

  std::string_view in_;
  size_t at_ = 0;
  std::string out_;
  std::vector<Branch> open_;  // conditions
  size_t skipping_ = 0;       // how many are open where the text is left out; 0: it is not
  std::unordered_set<std::string_view> declared_;  // by \newif
};

}  // namespace

std::string without_latex_comments(std::string_view source) {
  return CommentStripper(source).run();
}

}  // namespace llmtool
