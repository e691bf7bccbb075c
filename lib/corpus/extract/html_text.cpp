#include "lib/corpus/extract/html_text.h"

#include "lib/corpus/extract/html_entities.h"
#include "lib/corpus/extract/plain_text.h"

namespace llmtool {

namespace {

// Appends running text with its white space collapsed.
class Collapser {
 public:
  explicit Collapser(std::string& out) : out_(out), line_start_(out.size()) {}

  void text(std::string_view s) {
    for (size_t i = 0; i < s.size();) {
      const char c = s[i];
      if (is_ascii_space(c)) {
        space();
        ++i;
      } else if (c == '\xC2' && i + 1 < s.size() && (s[i + 1] == '\xA0' || s[i + 1] == '\xAD')) {
        if (s[i + 1] == '\xA0') space();
        i += 2;
      } else if (c == '\xE2' && s.substr(i, 3) == "\xE2\x80\x8B") {
        i += 3;
      } else if (c == '\xEF' && s.substr(i, 3) == "\xEF\xBB\xBF") {
        i += 3;
      } else {
        word(s, i);
      }
    }
  }

  void line_end() {
    pending_ = false;
    out_ += '\n';
    line_start_ = out_.size();
  }

  void mark(std::string_view s) {
    if (pending_) out_ += ' ';
    pending_ = false;
    out_ += s;
    glued_ = true;
  }

 private:
  void space() { pending_ = out_.size() > line_start_ && !glued_; }

  void word(std::string_view s, size_t& i) {
    if (pending_) out_ += ' ';
    pending_ = glued_ = false;
    const size_t from = i++;
    while (i < s.size() && !is_ascii_space(s[i]) && s[i] != '\xC2' && s[i] != '\xE2' &&
           s[i] != '\xEF') {
      ++i;
    }
    out_ += s.substr(from, i - from);
  }

  std::string& out_;
  size_t line_start_;
  bool pending_ = false;
  bool glued_ = false;  // no white space after an opening mark
};

class Renderer {
 public:
  Renderer(const HtmlTree& tree, const Excluded& excluded, bool keep_links)
      : tree_(tree), excluded_(excluded), keep_links_(keep_links) {}

  void block(const HtmlBlock& b) {
    std::string text = b.preformatted ? preformatted(b) : flowing(b);
    while (!text.empty() && is_ascii_space(text.back())) text.pop_back();
    while (text.starts_with('\n')) text.erase(0, 1);
    if (text.empty()) return;
    const uint32_t item = b.item ? ancestor(b.container, Tag::kListItem) : 0;
    const uint32_t row = b.cell ? ancestor(b.container, Tag::kTableRow) : 0;
    const bool new_item = item != 0 && item != last_item_;
    if (!out_.empty()) out_ += separator(b, item, row);
    if (new_item) out_ += bullet(item);
    out_ += text;
    last_item_ = item != 0 ? item : 0;
    last_row_ = row;
    last_list_ = item != 0 ? outer_list(item) : 0;
    last_table_ = row != 0 ? ancestor(row, Tag::kTable) : 0;
    last_cell_ = row != 0 ? ancestor(b.container, Tag::kTableCell) : 0;
  }

  std::string take() { return std::move(out_); }

 private:
  std::string_view separator(const HtmlBlock& b, uint32_t item, uint32_t row) const {
    if (row != 0 && row == last_row_) {
      return ancestor(b.container, Tag::kTableCell) == last_cell_ ? " " : " | ";
    }
    if (row != 0 && last_table_ != 0 && ancestor(row, Tag::kTable) == last_table_) return "\n";
    if (item != 0 && last_list_ != 0 && outer_list(item) == last_list_) return "\n";
    return "\n\n";
  }

  // The nearest element of this kind at or above; 0 if there is none within 64 levels.
  uint32_t ancestor(uint32_t node, Tag tag) const {
    for (int up = 0; up < 64 && node != 0; ++up) {
      if (tree_.nodes[node].tag == tag) return node;
      node = static_cast<uint32_t>(tree_.nodes[node].parent);
    }
    return 0;
  }

  uint32_t outer_list(uint32_t node) const {
    uint32_t found = 0;
    for (int up = 0; up < 64 && node != 0; ++up) {
      const Tag tag = tree_.nodes[node].tag;
      if (tag == Tag::kUnorderedList || tag == Tag::kOrderedList) found = node;
      node = static_cast<uint32_t>(tree_.nodes[node].parent);
    }
    return found;
  }

  std::string bullet(uint32_t item) {
    const auto parent = static_cast<uint32_t>(tree_.nodes[item].parent);
    if (tree_.nodes[parent].tag != Tag::kOrderedList) return "- ";
    if (parent != numbered_list_) number_ = 0;
    numbered_list_ = parent;
    return std::to_string(++number_) + ". ";
  }

  template <class OnText, class OnBreak>
  void walk(const HtmlBlock& b, OnText&& on_text, OnBreak&& on_break) {
    for (uint32_t i = b.first; i <= b.last; ++i) {
      if (!excluded_.empty() && excluded_[i]) continue;
      const HtmlNode& n = tree_.nodes[i];
      if (n.tag == Tag::kText) {
        on_text(i, tree_.text_of(n));
      } else if (n.tag == Tag::kBreak) {
        on_break();
      }
    }
  }

  std::string preformatted(const HtmlBlock& b) {
    std::string text;
    walk(
        b, [&](uint32_t, std::string_view s) { text += s; }, [&] { text += '\n'; });
    return clean_lines(text);
  }

  std::string flowing(const HtmlBlock& b) {
    std::string text;
    Collapser collapser(text);
    uint32_t link = 0;
    const auto close_link = [&] {
      if (link == 0) return;
      const std::string href = without_references(tree_.hrefs[tree_.nodes[link].text_begin]);
      text += "](" + std::string(trimmed(href)) + ")";
      link = 0;
    };
    walk(
        b,
        [&](uint32_t i, std::string_view s) {
          const uint32_t here = keep_links_ ? link_around(i) : 0;
          if (here != link) {
            close_link();
            if (here != 0) collapser.mark("[");
            link = here;
          }
          collapser.text(s);
        },
        [&] { collapser.line_end(); });
    close_link();
    return text;
  }

  uint32_t link_around(uint32_t node) const {
    const uint32_t link = ancestor(node, Tag::kLink);
    return (tree_.nodes[link].hints & kHintTarget) != 0 ? link : 0;
  }

  const HtmlTree& tree_;
  const Excluded& excluded_;
  bool keep_links_;
  std::string out_;
  uint32_t last_item_ = 0, last_row_ = 0, last_list_ = 0, last_table_ = 0, last_cell_ = 0;
  uint32_t numbered_list_ = 0;
  int number_ = 0;
};

}  // namespace

std::string text_of_blocks(const HtmlTree& tree, const Excluded& excluded,
                           const std::vector<HtmlBlock>& blocks, bool keep_links) {
  Renderer renderer(tree, excluded, keep_links);
  for (const HtmlBlock& b : blocks) renderer.block(b);
  return renderer.take();
}

}  // namespace llmtool
