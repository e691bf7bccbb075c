// HTML pages that are one file: no link to the outside, and a policy in the page that forbids the
// browser to follow any. They are light or dark as the reader's system is.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace llmtool {

// Text as HTML shows it, in an element or in a quoted attribute. What is not UTF-8, and control
// characters other than tab and newline, become U+FFFD.
std::string escape_html(std::string_view text);

// At most `bytes` of a text, cut between characters, with "..." behind what was cut.
std::string shortened(std::string_view text, size_t bytes);

// A heading, which is escaped, over HTML.
std::string section(std::string_view heading, std::string_view html);

class Page {
 public:
  explicit Page(std::string title) : title_(std::move(title)) {}

  // Under the title; plain text.
  void set_subtitle(std::string text) { subtitle_ = std::move(text); }
  // HTML that the functions of this room made.
  void add(std::string_view html) { body_ += html; }

  std::string html() const;

 private:
  std::string title_, subtitle_, body_;
};

}  // namespace llmtool
