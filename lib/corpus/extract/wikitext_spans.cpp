#include "lib/corpus/extract/wikitext_spans.h"

#include <algorithm>
#include <array>
#include <string>

#include "lib/corpus/extract/plain_text.h"

namespace llmtool {

namespace {

using Kind = WikiSpan::Kind;

struct WikiTag {
  std::string_view name;
  Kind kind;
};

constexpr std::array<WikiTag, 26> kTags = {{
    {"ref", Kind::kDrop},
    {"references", Kind::kDrop},
    {"gallery", Kind::kDrop},
    {"timeline", Kind::kDrop},
    {"imagemap", Kind::kDrop},
    {"score", Kind::kDrop},
    {"graph", Kind::kDrop},
    {"mapframe", Kind::kDrop},
    {"maplink", Kind::kDrop},
    {"templatestyles", Kind::kDrop},
    {"includeonly", Kind::kDrop},
    {"hiero", Kind::kDrop},
    {"categorytree", Kind::kDrop},
    {"inputbox", Kind::kDrop},
    {"indicator", Kind::kDrop},
    {"templatedata", Kind::kDrop},
    {"style", Kind::kDrop},
    {"script", Kind::kDrop},
    {"nowiki", Kind::kLiteral},
    {"pre", Kind::kLiteral},
    {"math", Kind::kLiteral},
    {"chem", Kind::kLiteral},
    {"ce", Kind::kLiteral},
    {"source", Kind::kLiteral},
    {"syntaxhighlight", Kind::kLiteral},
    {"code", Kind::kLiteral},
}};

class SpanFinder {
 public:
  explicit SpanFinder(std::string_view markup) : s_(markup) {}

  std::vector<WikiSpan> run() {
    while (at_ < s_.size()) {
      switch (s_[at_]) {
        case '<':
          tag();
          break;
        case '{':
          opening_brace();
          break;
        case '}':
          closing_brace();
          break;
        case '|':
          table_end();
          break;
        case '[':
        case ']':
          bracket();
          break;
        default:
          ++at_;
      }
    }
    std::sort(spans_.begin(), spans_.end(), [](const WikiSpan& a, const WikiSpan& b) {
      return a.begin != b.begin ? a.begin < b.begin : a.end > b.end;
    });
    return std::move(spans_);
  }

 private:
  struct Open {
    Kind kind;
    size_t begin;
    size_t marks;  // braces or brackets
  };

  void add(size_t begin, size_t end, size_t inner_begin, size_t inner_end, Kind kind) {
    spans_.push_back({begin, end, inner_begin, inner_end, kind});
  }

  void tag() {
    const std::string_view rest = s_.substr(at_);
    if (rest.starts_with("<!--")) {
      const size_t end = comments_end_ ? s_.npos : s_.find("-->", at_ + 4);
      comments_end_ = end == s_.npos;
      const size_t after = end == s_.npos ? at_ + 4 : end + 3;
      if (end != s_.npos) add(at_, after, at_, at_, Kind::kDrop);
      at_ = after;
      return;
    }
    size_t length = 1;
    std::string name;
    while (length < rest.size() && length <= 16 && is_ascii_letter(rest[length])) {
      name += ascii_lower(rest[length++]);
    }
    const auto known =
        std::find_if(kTags.begin(), kTags.end(), [&](const WikiTag& t) { return t.name == name; });
    if (known == kTags.end()) {
      ++at_;
      return;
    }
    element(*known, static_cast<size_t>(known - kTags.begin()));
  }

  void element(const WikiTag& tag, size_t index) {
    const std::string_view head = s_.substr(at_, 2000);
    const size_t close = head.find('>');
    if (close == head.npos) {
      ++at_;
      return;
    }
    const size_t inner = at_ + close + 1;
    if (head[close - 1] == '/') {
      add(at_, inner, inner, inner, Kind::kDrop);
      at_ = inner;
      return;
    }
    const size_t end = unended_[index] ? s_.npos : find_end(tag.name, inner);
    if (end == s_.npos) {
      unended_[index] = true;
      at_ = inner;
      return;
    }
    const size_t after = std::min(s_.find('>', end), s_.size() - 1) + 1;
    add(at_, after, inner, end, tag.kind);
    at_ = after;
  }

  // "</name" in any case.
  size_t find_end(std::string_view name, size_t from) const {
    for (size_t at = s_.find("</", from); at != s_.npos; at = s_.find("</", at + 2)) {
      const std::string_view here = s_.substr(at + 2, name.size());
      const std::string_view next = s_.substr(std::min(at + 2 + name.size(), s_.size()), 1);
      if (here.size() == name.size() && !next.empty() && !is_ascii_letter(next[0]) &&
          std::equal(here.begin(), here.end(), name.begin(),
                     [](char a, char b) { return ascii_lower(a) == b; })) {
        return at;
      }
    }
    return s_.npos;
  }

  bool at_line_start() const {
    size_t i = at_;
    while (i > 0 && (s_[i - 1] == ' ' || s_[i - 1] == ':' || s_[i - 1] == '\t') && at_ - i < 20)
      --i;
    return i == 0 || s_[i - 1] == '\n';
  }

  size_t run_length(char c) const {
    size_t n = 0;
    while (at_ + n < s_.size() && s_[at_ + n] == c) ++n;
    return n;
  }

  void opening_brace() {
    if (at_ + 1 < s_.size() && s_[at_ + 1] == '|' && at_line_start()) {
      open_.push_back({Kind::kTable, at_, 2});
      at_ += 2;
      return;
    }
    size_t n = run_length('{');
    while (n >= 2) {
      const size_t take = n == 3 ? 3 : 2;
      open_.push_back({Kind::kTemplate, at_, take});
      at_ += take;
      n -= take;
    }
    at_ += n;
  }

  void closing_brace() {
    size_t n = run_length('}');
    while (n >= 2) {
      // Links and tables that are open inside the template never end.
      size_t depth = open_.size();
      while (depth > 0 && open_[depth - 1].kind == Kind::kLink) --depth;
      if (depth == 0 || open_[depth - 1].kind != Kind::kTemplate) break;
      open_.resize(depth);
      const Open o = open_.back();
      open_.pop_back();
      const size_t take = std::min(o.marks, n);
      add(o.begin, at_ + take, o.begin + take, at_, Kind::kTemplate);
      at_ += take;
      n -= take;
    }
    at_ += n;
  }

  // "|}" at the start of a line.
  void table_end() {
    const bool ends = at_ + 1 < s_.size() && s_[at_ + 1] == '}' && tables_open() &&
                      (at_ + 2 >= s_.size() || s_[at_ + 2] != '}') && at_line_start();
    if (!ends) {
      ++at_;
      return;
    }
    while (open_.back().kind != Kind::kTable) open_.pop_back();
    const Open o = open_.back();
    open_.pop_back();
    add(o.begin, at_ + 2, o.begin + 2, at_, Kind::kTable);
    at_ += 2;
  }

  bool tables_open() const {
    // Only what lies above a table is looked at and then let go: O(1) on average.
    for (size_t i = open_.size(); i > 0 && open_.size() - i < 200; --i) {
      if (open_[i - 1].kind == Kind::kTable) return true;
    }
    return false;
  }

  void bracket() {
    const bool opens = s_[at_] == '[';
    const bool pair = at_ + 1 < s_.size() && s_[at_ + 1] == s_[at_];
    if (!pair) {
      ++at_;
    } else if (opens) {
      open_.push_back({Kind::kLink, at_, 2});
      at_ += 2;
    } else if (!open_.empty() && open_.back().kind == Kind::kLink) {
      add(open_.back().begin, at_ + 2, open_.back().begin + 2, at_, Kind::kLink);
      open_.pop_back();
      at_ += 2;
    } else {
      at_ += 2;
    }
  }

  std::string_view s_;
  size_t at_ = 0;
  std::vector<Open> open_;
  std::vector<WikiSpan> spans_;
  std::array<bool, kTags.size()> unended_{};
  bool comments_end_ = false;  // no comment ends from here on
};

}  // namespace

std::vector<WikiSpan> find_wiki_spans(std::string_view markup) {
  return SpanFinder(markup).run();
}

}  // namespace llmtool
