#include "lib/corpus/extract/html_blocks.h"

#include <array>

#include "lib/corpus/extract/plain_text.h"

namespace llmtool {

namespace {

// What a byte adds: bit 0: it is no white space; bit 1: punctuation.
constexpr std::array<uint8_t, 256> kByteKind = [] {
  std::array<uint8_t, 256> kind{};
  for (size_t c = 0x21; c < 256; ++c) kind[c] = 1;
  kind[0x7F] = 0;
  for (const char c : {'.', '!', '?', ',', ';', ':'}) kind[static_cast<size_t>(c)] = 3;
  return kind;
}();

// 、 。 ， ！ ？ । ، ؟ ។ and others, by lead byte and the rest.
bool is_foreign_punctuation(std::string_view rest) {
  const auto is = [&](std::string_view mark) { return rest.starts_with(mark); };
  switch (static_cast<unsigned char>(rest[0])) {
    case 0xE3:
      return is("、") || is("。");
    case 0xEF:
      return is("，") || is("！") || is("？") || is("：") || is("；");
    case 0xE0:
      return is("।");
    case 0xE1:
      return is("။") || is("។") || is("።");
    case 0xD8:
      return is("،") || is("؟") || is("؛");
    case 0xDB:
      return is("۔");
    default:
      return false;
  }
}

class BlockCutter {
 public:
  BlockCutter(const HtmlTree& tree, std::vector<HtmlBlock>& blocks) : tree_(tree), blocks_(blocks) {
    open_.push_back({0, 0, false, false, false, false, false});
  }

  void node(uint32_t index) {
    while (open_.size() > 1 && tree_.nodes[open_.back().node].end <= index) close();
    const HtmlNode& n = tree_.nodes[index];
    if (n.tag == Tag::kText) {
      text(index, n);
      return;
    }
    if (is_block(n.tag)) finish();
    if (n.end > index + 1) open(index, n);
  }

  void finish() {
    if (block_.weight > 0) blocks_.push_back(block_);
    block_ = {};
    started_ = false;
  }

 private:
  struct Level {
    uint32_t node, container;
    bool block, link, heading, preformatted, item;
    bool cell = false;
  };

  void open(uint32_t index, const HtmlNode& n) {
    Level level = open_.back();
    level.node = index;
    level.block = is_block(n.tag);
    if (level.block) level.container = index;
    level.link = level.link || (n.tag == Tag::kLink && (n.hints & kHintTarget) != 0);
    level.heading = level.heading || is_heading(n.tag);
    level.preformatted = level.preformatted || n.tag == Tag::kPre;
    level.item = level.item || n.tag == Tag::kListItem;
    level.cell = (level.cell || n.tag == Tag::kTableCell) && n.tag != Tag::kListItem;
    open_.push_back(level);
  }

  void close() {
    if (open_.back().block) finish();
    open_.pop_back();
  }

  void text(uint32_t index, const HtmlNode& n) {
    const Level& level = open_.back();
    if (!started_) {
      block_.first = index;
      block_.container = level.container;
      block_.heading = level.heading;
      block_.preformatted = level.preformatted;
      block_.item = level.item;
      block_.cell = level.cell;
      started_ = true;
    }
    block_.last = index;
    const std::string_view bytes = tree_.text_of(n);
    uint32_t weight = 0, marks = 0;
    for (size_t i = 0; i < bytes.size(); ++i) {
      const auto c = static_cast<unsigned char>(bytes[i]);
      weight += kByteKind[c] & 1;
      marks += kByteKind[c] >> 1;
      if (c >= 0xD8 && is_foreign_punctuation(bytes.substr(i))) ++marks;
    }
    block_.weight += weight;
    if (level.link) block_.link_weight += weight;
    block_.punctuation = static_cast<uint16_t>(std::min(65535u, block_.punctuation + marks));
  }

  const HtmlTree& tree_;
  std::vector<HtmlBlock>& blocks_;
  std::vector<Level> open_;
  HtmlBlock block_;
  bool started_ = false;
};

}  // namespace

void cut_into_blocks(const HtmlTree& tree, const Excluded& excluded,
                     std::vector<HtmlBlock>& blocks) {
  blocks.clear();
  BlockCutter cutter(tree, blocks);
  for (uint32_t i = 1; i < tree.nodes.size();) {
    if (!excluded.empty() && excluded[i]) {
      if (is_block(tree.nodes[i].tag)) cutter.finish();
      i = tree.nodes[i].end;
      continue;
    }
    cutter.node(i++);
  }
  cutter.finish();
}

}  // namespace llmtool
