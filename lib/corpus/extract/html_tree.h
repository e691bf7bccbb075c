// A page as a flat tree: its elements and texts in the order of the page.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/corpus/extract/html_hints.h"
#include "lib/corpus/extract/html_tags.h"

namespace llmtool {

struct HtmlNode {
  Tag tag = Tag::kText;
  Hints hints = 0;
  int32_t parent = -1;
  uint32_t end = 0;         // one past the last node inside it
  uint32_t text_begin = 0;  // kText: in HtmlTree::text; kLink: the place of its href
  uint32_t text_end = 0;
};

struct HtmlTree {
  std::vector<HtmlNode> nodes;          // [0] is the root; parents before children
  std::string text;                     // of all texts, entities replaced, white space as it was
  std::vector<std::string_view> hrefs;  // point into the page
  std::string title, language, description;
  uint64_t tags = 0;
  bool truncated = false;  // the page has more elements than max_nodes; the rest is not there

  std::string_view text_of(const HtmlNode& node) const {
    return std::string_view(text).substr(node.text_begin, node.text_end - node.text_begin);
  }
};

struct HtmlLimits {
  // Elements that are open at the same time. When there are more, all are closed and a new part of
  // the page begins: every text stays, and every step of the parser stays cheap.
  int max_depth = 512;
  size_t max_nodes = 2'000'000;
};

// Reads a page with libxml2's HTML parser. page: UTF-8, outlives the tree. tree: reused memory.
void parse_html(std::string_view page, const HtmlLimits& limits, HtmlTree& tree);

}  // namespace llmtool
