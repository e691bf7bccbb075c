// A page cut into blocks: runs of text that CSS would set as one paragraph.
#pragma once

#include <cstdint>
#include <vector>

#include "lib/corpus/extract/html_tree.h"

namespace llmtool {

// Lengths are "weights": bytes that are no white space.
struct HtmlBlock {
  uint32_t first = 0, last = 0;  // nodes; all texts between them are of this block
  uint32_t container = 0;        // the block element around it
  uint32_t weight = 0;
  uint32_t link_weight = 0;  // of it inside links that lead somewhere
  uint16_t punctuation = 0;  // . ! ? , ; : and their kin, also of CJK, Arabic, Devanagari
  bool heading = false, preformatted = false, item = false, cell = false;

  double link_density() const {
    return weight == 0 ? 0 : static_cast<double>(link_weight) / weight;
  }
  uint32_t own_weight() const { return weight - link_weight; }
};

// Which parts of the page are left out: per node, inherited by what is inside.
using Excluded = std::vector<uint8_t>;

// The blocks of what is not excluded. blocks: reused memory.
void cut_into_blocks(const HtmlTree& tree, const Excluded& excluded,
                     std::vector<HtmlBlock>& blocks);

// For each node the sum over the blocks inside it of value(block).
template <class F>
void sum_over_blocks(const HtmlTree& tree, const std::vector<HtmlBlock>& blocks, F&& value,
                     std::vector<uint32_t>& sums) {
  sums.assign(tree.nodes.size(), 0);
  for (const HtmlBlock& b : blocks) sums[b.container] += value(b);
  for (size_t i = tree.nodes.size() - 1; i > 0; --i) {
    sums[static_cast<size_t>(tree.nodes[i].parent)] += sums[i];
  }
}

}  // namespace llmtool
