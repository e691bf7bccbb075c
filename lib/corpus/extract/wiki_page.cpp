#include <algorithm>

#include "lib/corpus/extract/html_entities.h"
#include "lib/corpus/extract/plain_text.h"
#include "lib/corpus/extract/wikitext.h"

namespace llmtool {

namespace {

std::string_view element(std::string_view xml, std::string_view open, std::string_view close) {
  const size_t begin = xml.find(open);
  if (begin == xml.npos) return {};
  const size_t from = begin + open.size();
  const size_t end = xml.find(close, from);
  return end == xml.npos ? std::string_view() : xml.substr(from, end - from);
}

// The text of the last <text ...>.
std::string_view last_text(std::string_view xml) {
  const size_t begin = xml.rfind("<text");
  if (begin == xml.npos) return {};
  const size_t open = xml.find('>', begin);
  if (open == xml.npos || xml[open - 1] == '/') return {};
  const size_t end = xml.find("</text>", open);
  return end == xml.npos ? xml.substr(open + 1) : xml.substr(open + 1, end - open - 1);
}

}  // namespace

bool is_redirect(std::string_view markup) {
  markup = trimmed(markup);
  if (!markup.starts_with('#')) return false;
  const std::string_view line = markup.substr(1, std::min<size_t>(markup.find('\n'), 200));
  const size_t link = line.find("[[");
  if (link == line.npos || link == 0) return false;
  const std::string_view word = trimmed(line.substr(0, link));
  return !word.empty() && word.find(' ') == word.npos;
}

WikiPage read_wiki_page(std::string_view xml) {
  WikiPage page;
  page.found = trimmed(xml.substr(0, 4096)).starts_with("<page>");
  if (!page.found) return page;
  const std::string_view head = xml.substr(0, std::min(xml.find("<text"), xml.size()));
  page.title = without_references(element(head, "<title>", "</title>"));
  page.id = element(head, "<id>", "</id>");
  int ns = 0;
  for (const char c : element(head, "<ns>", "</ns>").substr(0, 6)) {
    if (is_ascii_digit(c)) ns = ns * 10 + (c - '0');
  }
  page.ns = ns;
  page.redirect = head.find("<redirect ") != head.npos;
  page.model = element(head, "<model>", "</model>");
  if (page.model.empty()) page.model = "wikitext";
  page.markup = without_references(last_text(xml));
  return page;
}

}  // namespace llmtool
