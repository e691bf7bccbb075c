// The main text of a web page.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/corpus/extract/html_blocks.h"
#include "lib/corpus/extract/html_tree.h"

namespace llmtool {

struct HtmlOptions {
  enum class Favour { kBalance, kPrecision, kRecall } favour = Favour::kBalance;
  bool include_comments = false;  // of readers
  bool include_tables = true;
  bool keep_links = false;  // [text](href)
  HtmlLimits limits = {};
};

struct HtmlText {
  std::string text;  // empty if the page has no main text
  std::string title, language, description;
  double link_density = 0;  // of what was kept: bytes inside links / bytes, white space apart
  bool truncated = false;
};

// Reads pages one after another; reuses its memory. One for each thread.
class HtmlExtractor {
 public:
  explicit HtmlExtractor(const HtmlOptions& options) : options_(options) {}

  // page: valid UTF-8.
  HtmlText extract(std::string_view page);

 private:
  HtmlOptions options_;
  HtmlTree tree_;
  Excluded excluded_;
  std::vector<HtmlBlock> blocks_;
  std::vector<uint32_t> good_;
};

// Whether bytes look like HTML: in the first 4 KiB, after white space and a byte order mark, there
// is a tag or a doctype.
bool looks_like_html(std::string_view text);

}  // namespace llmtool
