#include "lib/corpus/extract/html.h"

#include "lib/corpus/extract/html_main.h"
#include "lib/corpus/extract/html_text.h"
#include "lib/corpus/extract/plain_text.h"

namespace llmtool {

HtmlText HtmlExtractor::extract(std::string_view page) {
  parse_html(page, options_.limits, tree_);
  cut_into_blocks(tree_, {}, blocks_);
  exclude_boilerplate(tree_, blocks_, options_, excluded_, good_);
  cut_into_blocks(tree_, excluded_, blocks_);
  sum_over_blocks(
      tree_, blocks_, [](const HtmlBlock& b) { return is_good_block(b) ? b.own_weight() : 0; },
      good_);
  keep_text_blocks(tree_, find_main(tree_, good_), options_, blocks_);

  HtmlText result;
  result.text = text_of_blocks(tree_, excluded_, blocks_, options_.keep_links);
  result.title = tree_.title;
  result.language = tree_.language;
  result.description = tree_.description;
  result.truncated = tree_.truncated;
  double weight = 0, links = 0;
  for (const HtmlBlock& b : blocks_) {
    weight += b.weight;
    links += b.link_weight;
  }
  result.link_density = weight == 0 ? 0 : links / weight;
  return result;
}

bool looks_like_html(std::string_view text) {
  text = text.substr(0, 4096);
  for (size_t i = text.find('<'); i != text.npos; i = text.find('<', i + 1)) {
    const char next = i + 1 < text.size() ? text[i + 1] : ' ';
    if (is_ascii_letter(next) || next == '!' || next == '/') return true;
  }
  return false;
}

}  // namespace llmtool
