// Which parts of a page are its main text. See the help of `extract html` for the rules.
#pragma once

#include <cstdint>
#include <vector>

#include "lib/corpus/extract/html.h"

namespace llmtool {

// A block that is likely to be running text: enough of it outside links, with punctuation.
bool is_good_block(const HtmlBlock& block);

// Marks what elements and hints say is not the main text; but never most of the running text of the
// page. good: of each node, the weight of its good blocks.
void exclude_boilerplate(const HtmlTree& tree, const std::vector<HtmlBlock>& blocks,
                         const HtmlOptions& options, Excluded& excluded,
                         std::vector<uint32_t>& good);

struct MainNode {
  uint32_t node = 0;
  bool marked = false;  // the page says itself that it is the main text
};

// The element whose inside is the main text.
MainNode find_main(const HtmlTree& tree, const std::vector<uint32_t>& good);

// Keeps the blocks inside `main` that belong to its text.
void keep_text_blocks(const HtmlTree& tree, MainNode main, const HtmlOptions& options,
                      std::vector<HtmlBlock>& blocks);

}  // namespace llmtool
