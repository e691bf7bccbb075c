// Plain text of MediaWiki's markup.
#pragma once

#include <string>
#include <string_view>

namespace llmtool {

struct WikitextOptions {
  bool keep_tables = false;  // else dropped
};

// Goes: comments, <ref>, galleries and other tags with what they hold, templates (but the text of
// {{lang|fr|text}}, {{nowrap|text}} and their kin stays), tables, files, categories and
// interlanguage links under their names in many languages, magic words, headings that no text
// follows. Stays: the label of a link, else its target; of an outer link its label; the text of
// <nowiki>, <pre>, <math>, <code>, <syntaxhighlight> as it stands. Quotes for bold and italics go,
// list marks become "- ", headings plain lines, character references what they stand for. What is
// opened and never closed stays as text. Linear in the markup.
std::string text_of_wikitext(std::string_view markup, const WikitextOptions& options);

// Whether the markup is a redirect: a first line of "#", a word, and a link.
bool is_redirect(std::string_view markup);

// A <page> of an XML dump.
struct WikiPage {
  bool found = false;  // it is a <page>
  std::string title, id;
  int ns = 0;
  bool redirect = false;
  std::string model;   // "wikitext" if it does not say
  std::string markup;  // of its last revision
};
WikiPage read_wiki_page(std::string_view xml);

}  // namespace llmtool
