// The first pass over a page: everything that bears no text goes, so that the parser sees a page
// that is small and harmless whatever came in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/corpus/extract/html_hints.h"
#include "lib/corpus/extract/html_tags.h"

namespace llmtool {

// Of an element with something worth to know beyond its HTML 4 name.
struct SweptElement {
  Tag tag = Tag::kBlock;
  Hints hints = 0;
  std::string_view href;  // of a link, as it stands in the page
};

// Made by HtmlSweep::next(): the parser gets <div a=12> for element 12.
class HtmlSweep {
 public:
  // page: UTF-8, lives as long as this.
  explicit HtmlSweep(std::string_view page);

  // Appends about 16 KiB of markup to `out`, ending between two tags: elements by their HTML 4
  // names with no attribute but `a`, and text with <, > and & escaped and every other character
  // reference replaced. No comments, scripts, styles, instructions, control characters; html, head
  // and body without their tags. False at the end. Costs O(1) a byte whatever the page.
  bool next(std::string& out);

  const std::vector<SweptElement>& elements() const { return elements_; }
  const std::string& title() const { return title_; }        // of <title>, else of og:title
  const std::string& language() const { return language_; }  // of <html lang>
  const std::string& description() const { return description_; }
  uint64_t tags() const { return tags_; }  // seen so far, of any kind

 private:
  struct Attributes {
    Hints hints = 0;
    std::string_view lang, href, name, property, content;
  };

  void text(std::string_view piece, std::string& out);
  void markup(std::string& out);
  void start_tag(Tag tag, std::string_view name, std::string& out);
  void end_tag(Tag tag, std::string& out);
  void open(Tag tag, const Attributes& attributes, std::string& out);
  Attributes attributes(Tag tag);
  void note(const Attributes& a, std::string_view key, std::string_view value);
  std::string_view attribute_value();
  void skip_raw(std::string_view name);
  void skip_dropped(std::string_view name);
  void take_meta(const Attributes& a);
  void skip_spaces();

  static void note_attribute(Attributes& a, Tag tag, std::string_view key, std::string_view value);

  std::string_view page_;
  size_t at_ = 0;
  std::vector<SweptElement> elements_;
  std::vector<bool> spans_;            // of the open <span>s: whether the parser was given it
  std::vector<std::string> unclosed_;  // names of kDropped that are no containers in this page
  bool paragraph_open_ = false;        // the last block tag given was <p>
  bool og_title_ = false;
  std::string title_, language_, description_;
  uint64_t tags_ = 0;
};

}  // namespace llmtool
