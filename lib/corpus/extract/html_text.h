// Blocks of a page as plain text.
#pragma once

#include <string>
#include <vector>

#include "lib/corpus/extract/html_blocks.h"

namespace llmtool {

// White space as CSS shows it: runs are one space, none at the ends of lines, <br> is a line end,
// <pre> is kept. An empty line between blocks; items of a list and rows of a table on lines of
// their own, "- " or "1. " before an item, " | " between cells. U+00A0 is a space; soft hyphens and
// zero-width spaces go.
std::string text_of_blocks(const HtmlTree& tree, const Excluded& excluded,
                           const std::vector<HtmlBlock>& blocks, bool keep_links);

}  // namespace llmtool
