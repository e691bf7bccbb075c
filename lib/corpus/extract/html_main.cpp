#include "lib/corpus/extract/html_main.h"

#include <algorithm>

namespace llmtool {

namespace {

using Favour = HtmlOptions::Favour;

uint32_t good_weight(const HtmlBlock& b) {
  return is_good_block(b) ? b.own_weight() : 0;
}

bool says_boilerplate(const HtmlNode& n, const HtmlNode& parent, bool in_main,
                      const HtmlOptions& options) {
  if ((n.hints & kHintHidden) != 0) return true;
  if ((n.hints & kHintComments) != 0) return !options.include_comments;
  switch (n.tag) {
    case Tag::kNav:
    case Tag::kFooter:
    case Tag::kAside:
    case Tag::kForm:
    case Tag::kMenu:
      return true;
    case Tag::kHeader:
      return !in_main || options.favour == Favour::kPrecision;
    case Tag::kCaption:  // of a picture; that of a table is text
      if (parent.tag != Tag::kTable && options.favour != Favour::kRecall) return true;
      break;
    case Tag::kTable:
      if (!options.include_tables) return true;
      break;
    default:
      break;
  }
  if ((n.hints & kHintBoilerplate) != 0) return options.favour != Favour::kRecall || !in_main;
  return (n.hints & (kHintToc | kHintHeader)) != 0 && n.tag != Tag::kSpan && n.tag != Tag::kLink &&
         !is_heading(n.tag) && options.favour != Favour::kRecall;
}

// Long running text nearly without links is text, whatever its class ("sidebar" in a manual).
bool is_box_of_text(const HtmlNode& n, uint32_t good, uint32_t weight, uint32_t links) {
  return (n.hints & (kHintHidden | kHintComments)) == 0 && n.tag != Tag::kFooter &&
         n.tag != Tag::kNav && good >= 400 && weight * 2ull >= links * 25ull;
}

bool is_main_mark(const HtmlNode& n) {
  return n.tag == Tag::kMain || n.tag == Tag::kArticle || (n.hints & kHintMain) != 0;
}

}  // namespace

bool is_good_block(const HtmlBlock& b) {
  if (b.heading) return false;
  if (b.preformatted) return b.weight >= 20;
  const double density = b.link_density();
  return (b.weight >= 60 && b.punctuation >= 1 && density < 0.35) ||
         (b.weight >= 200 && density < 0.5);
}

void exclude_boilerplate(const HtmlTree& tree, const std::vector<HtmlBlock>& blocks,
                         const HtmlOptions& options, Excluded& excluded,
                         std::vector<uint32_t>& good) {
  sum_over_blocks(tree, blocks, good_weight, good);
  std::vector<uint32_t> weight, links;
  sum_over_blocks(
      tree, blocks, [](const HtmlBlock& b) { return b.weight; }, weight);
  sum_over_blocks(
      tree, blocks, [](const HtmlBlock& b) { return b.link_weight; }, links);
  excluded.assign(tree.nodes.size(), 0);
  std::vector<uint8_t> in_main(tree.nodes.size(), 0);
  const uint32_t total = good[0];
  for (size_t i = 1; i < tree.nodes.size(); ++i) {
    const HtmlNode& n = tree.nodes[i];
    const auto parent = static_cast<size_t>(n.parent);
    in_main[i] = in_main[parent] || is_main_mark(n);
    excluded[i] = excluded[parent];
    if (excluded[i] || n.tag == Tag::kText ||
        !says_boilerplate(n, tree.nodes[parent], in_main[parent], options)) {
      continue;
    }
    excluded[i] = good[i] * 2 <= total && !is_box_of_text(n, good[i], weight[i], links[i]);
  }
}

MainNode find_main(const HtmlTree& tree, const std::vector<uint32_t>& good) {
  const uint32_t total = good[0];
  // The innermost element that the page marks and that has most of the running text.
  MainNode best;
  for (uint32_t i = 1; i < tree.nodes.size(); ++i) {
    if (is_main_mark(tree.nodes[i]) && good[i] * 10ull >= total * 6ull && total > 0) {
      best = {.node = i, .marked = true};
    }
  }
  // From there down to where the text branches out.
  for (bool deeper = total > 0; deeper;) {
    deeper = false;
    const HtmlNode& n = tree.nodes[best.node];
    for (uint32_t i = best.node + 1; i < n.end; i = tree.nodes[i].end) {
      const Tag tag = tree.nodes[i].tag;
      const bool container = is_block(tag) && tag != Tag::kParagraph && tag != Tag::kPre &&
                             tag != Tag::kListItem && tag != Tag::kUnorderedList &&
                             tag != Tag::kOrderedList && tag != Tag::kTableRow;
      if (container && good[i] * 20ull >= good[best.node] * 19ull && good[i] > 0) {
        best.node = i;
        deeper = true;
        break;
      }
    }
  }
  return best;
}

namespace {

// Lists and tables that are made of links.
class LinkLists {
 public:
  LinkLists(const HtmlTree& tree, const std::vector<HtmlBlock>& blocks,
            const HtmlOptions& options) {
    std::vector<uint32_t> weight, links, count;
    sum_over_blocks(
        tree, blocks, [](const HtmlBlock& b) { return b.weight; }, weight);
    sum_over_blocks(
        tree, blocks, [](const HtmlBlock& b) { return b.link_weight; }, links);
    sum_over_blocks(
        tree, blocks, [](const HtmlBlock&) { return 1u; }, count);
    const double most = options.favour == Favour::kRecall ? 0.8 : 0.5;
    inside_.assign(tree.nodes.size(), 0);
    for (size_t i = 1; i < tree.nodes.size(); ++i) {
      const HtmlNode& n = tree.nodes[i];
      inside_[i] = inside_[static_cast<size_t>(n.parent)];
      const bool list = n.tag == Tag::kUnorderedList || n.tag == Tag::kOrderedList ||
                        n.tag == Tag::kTable || n.tag == Tag::kDefinitionList;
      const bool box = n.tag == Tag::kDiv || n.tag == Tag::kBlock || n.tag == Tag::kSection;
      if (weight[i] == 0 || !(list || box)) continue;
      const double density = static_cast<double>(links[i]) / weight[i];
      if (list && density > most && links[i] < 200 * count[i]) inside_[i] = 1;
      if (box && density > 0.66 && count[i] > 1) inside_[i] = 1;
    }
  }

  bool holds(const HtmlBlock& b) const { return inside_[b.container] != 0; }

 private:
  std::vector<uint8_t> inside_;
};

std::vector<uint8_t> inside_comments(const HtmlTree& tree) {
  std::vector<uint8_t> inside(tree.nodes.size(), 0);
  for (size_t i = 1; i < tree.nodes.size(); ++i) {
    const HtmlNode& n = tree.nodes[i];
    inside[i] = inside[static_cast<size_t>(n.parent)] || (n.hints & kHintComments) != 0;
  }
  return inside;
}

enum class Verdict : uint8_t { kDrop, kKeep, kAskNeighbours, kHeading };

Verdict judge(const HtmlBlock& b, bool in_link_list, MainNode main, Favour favour) {
  if (in_link_list && !is_good_block(b)) return Verdict::kDrop;
  if (b.heading) return b.link_density() > 0.9 && !main.marked ? Verdict::kDrop : Verdict::kHeading;
  if (b.preformatted) return Verdict::kKeep;
  const double density = b.link_density();
  if (is_good_block(b)) return Verdict::kKeep;
  if (density > 0.6) {
    return b.own_weight() >= 30 ? Verdict::kAskNeighbours : Verdict::kDrop;
  }
  if (b.item || b.cell)
    return favour == Favour::kPrecision ? Verdict::kAskNeighbours : Verdict::kKeep;
  if (b.punctuation > 0 && b.own_weight() >= 25) return Verdict::kKeep;
  return favour == Favour::kRecall ? Verdict::kKeep : Verdict::kAskNeighbours;
}

// A short block stays if kept text is within three blocks on both sides, or next to it in the same
// element.
void ask_neighbours(const HtmlTree& tree, const std::vector<HtmlBlock>& blocks,
                    std::vector<Verdict>& verdicts) {
  const auto same_element = [&](size_t i, size_t j) {
    return tree.nodes[blocks[i].container].parent == tree.nodes[blocks[j].container].parent;
  };
  const size_t n = verdicts.size();
  std::vector<size_t> before(n, n), after(n, n);
  size_t seen = n;
  for (size_t i = 0; i < n; ++i) {
    before[i] = seen;
    if (verdicts[i] == Verdict::kKeep) seen = i;
  }
  seen = n;
  for (size_t i = n; i-- > 0;) {
    after[i] = seen;
    if (verdicts[i] == Verdict::kKeep) seen = i;
  }
  for (size_t i = 0; i < n; ++i) {
    if (verdicts[i] != Verdict::kAskNeighbours) continue;
    const bool has_before = before[i] != n && i - before[i] <= 3;
    const bool has_after = after[i] != n && after[i] - i <= 3;
    const bool kept = (has_before && has_after) || (has_before && same_element(i, before[i])) ||
                      (has_after && same_element(i, after[i]));
    verdicts[i] = kept ? Verdict::kKeep : Verdict::kDrop;
  }
}

// A heading stays if text follows before the page ends: directly, or after other headings.
void decide_headings(std::vector<Verdict>& verdicts) {
  bool text_follows = false;
  for (size_t i = verdicts.size(); i-- > 0;) {
    if (verdicts[i] == Verdict::kHeading) {
      verdicts[i] = text_follows ? Verdict::kKeep : Verdict::kDrop;
    } else {
      text_follows = verdicts[i] == Verdict::kKeep;
    }
  }
}

}  // namespace

void keep_text_blocks(const HtmlTree& tree, MainNode main, const HtmlOptions& options,
                      std::vector<HtmlBlock>& blocks) {
  const uint32_t end = tree.nodes[main.node].end;
  std::vector<uint8_t> comments;
  if (options.include_comments) comments = inside_comments(tree);
  std::erase_if(blocks, [&](const HtmlBlock& b) {
    const bool inside = b.first > main.node && b.first < end;
    return !inside && (comments.empty() || !comments[b.container]);
  });
  const LinkLists lists(tree, blocks, options);
  std::vector<Verdict> verdicts;
  verdicts.reserve(blocks.size());
  for (const HtmlBlock& b : blocks) {
    verdicts.push_back(judge(b, lists.holds(b), main, options.favour));
  }
  ask_neighbours(tree, blocks, verdicts);
  decide_headings(verdicts);
  size_t kept = 0;
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (verdicts[i] == Verdict::kKeep) blocks[kept++] = blocks[i];
  }
  blocks.resize(kept);
}

}  // namespace llmtool
