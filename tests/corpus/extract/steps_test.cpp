#include "lib/corpus/extract/steps.h"

#include <doctest/doctest.h>

#include "lib/base/error.h"
#include "tests/corpus/step_run.h"

using namespace llmtool;

namespace {

const std::string kPage =
    "<html lang=en><title>T</title><body><p>A sentence that is long enough to be text, with a "
    "comma and a full stop.</p></body></html>";

// The document after the step.
Document after(Step& step, const std::string& text, std::vector<Attribute> metadata = {}) {
  TestResources resources;
  TestTally tally;
  step.start(resources);
  Document document;
  document.text = text;
  document.metadata = std::move(metadata);
  step.work(document, tally, 0);
  return document;
}

std::string rule(Step& step, const std::string& text, std::vector<Attribute> metadata = {}) {
  return after(step, text, std::move(metadata)).rejection.rule;
}

}  // namespace

TEST_CASE("extract html: text, metadata, figures") {
  ExtractHtml step({});
  const Document page = after(step, kPage);
  CHECK(!page.rejected);
  CHECK(page.text_changed);
  CHECK(page.text.starts_with("A sentence"));
  CHECK(member(page, "metadata.title").text == "T");
  CHECK(member(page, "metadata.html_lang").text == "en");
  CHECK(member(page, "metadata.detected_charset").text == "utf-8");
  TestTally tally;
  run_step(step, {kPage}, tally);
  REQUIRE(tally.figures.size() == 3);
  CHECK(tally.figures[0].second == static_cast<double>(page.text.size()));
  CHECK(step.figures().size() == 3);
}

TEST_CASE("extract html: the charset of the HTTP header") {
  ExtractHtml step({});
  std::string page = kPage;
  page[page.find("A sent")] = static_cast<char>(0xC0);
  CHECK(after(step, page, {{"charset", "\"windows-1251\""}}).text.starts_with("А"));
}

TEST_CASE("extract html: each rule") {
  ExtractHtml step({});
  CHECK(rule(step, kPage, {{"http_status", "404"}}) == "extract.http_status");
  CHECK(rule(step, kPage, {{"http_status", "200"}}) == "");
  CHECK(rule(step, kPage, {{"content_type", "\"image/png\""}}) == "extract.not_html");
  CHECK(rule(step, kPage, {{"content_type", "\"application/xhtml+xml\""}}) == "");
  CHECK(rule(step, "no tag") == "extract.not_html");
  CHECK(rule(step, "<p></p>") == "extract.empty");
  CHECK(rule(step, "") == "extract.not_html");
  CHECK(rule(step, "<p>\xff~{<:Ky2;~}", {{"charset", "\"hz-gb-2312\""}}) == "extract.charset");
  ExtractHtmlOptions small;
  small.max_bytes = 20;
  ExtractHtml limited(small);
  CHECK(rule(limited, kPage) == "extract.too_large");
  ExtractHtmlOptions few;
  few.html.limits.max_nodes = 2;
  ExtractHtml crowded(few);
  CHECK(rule(crowded, kPage) == "extract.too_many_elements");
  ExtractHtmlOptions thresholds;
  thresholds.min_text_bytes = 1000;
  ExtractHtml long_only(thresholds);
  CHECK(rule(long_only, kPage) == "extract.text_bytes");
}

TEST_CASE("extract html: a threshold on link density") {
  ExtractHtmlOptions options;
  options.max_link_density = 0.1;
  ExtractHtml step(options);
  const std::string linked =
      "<p>A sentence that is long enough to be text, <a href=/x>with some of it, a part</a>, "
      "inside "
      "of a link, and more of it outside.</p>";
  CHECK(rule(step, linked) == "extract.link_density");
  CHECK(rule(step, kPage) == "");
}

TEST_CASE("extract wet") {
  ExtractWet step;
  CHECK(after(step, "a\r\nb \n\n\n\xff").text == "a\nb\n\n\xef\xbf\xbd");
  CHECK(rule(step, "a", {{"content_type", "\"text/plain\""}}) == "");
  CHECK(rule(step, "a", {{"content_type", "\"text/html\""}}) == "extract.not_conversion");
  CHECK(rule(step, "a", {{"http_status", "200"}}) == "extract.not_conversion");
  CHECK(rule(step, " \n") == "extract.empty");
}

TEST_CASE("extract gutenberg") {
  ExtractGutenberg step({});
  const Document book =
      after(step,
            "Title: T\n*** START OF THE PROJECT GUTENBERG EBOOK T ***\n\nBook.\n\n"
            "*** END OF THE PROJECT GUTENBERG EBOOK T ***");
  CHECK(book.text == "Book.");
  CHECK(member(book, "metadata.title").text == "T");
  CHECK(rule(step, "") == "extract.empty");
  ExtractGutenberg strict({.require_markers = true});
  CHECK(rule(strict, "Book.") == "extract.no_markers");
}

TEST_CASE("extract latex") {
  ExtractLatex step({});
  const Document paper = after(step, "\\def\\a{b}x\\section{\\a}c");
  CHECK(paper.text == "\\section{b}c");
  CHECK(member(paper, "metadata.expansions").text == "1");
  CHECK(rule(step, "%PDF-1.5") == "extract.not_latex");
  CHECK(rule(step, "\\begin{document}\\end{document}") == "extract.empty");
  ExtractLatexOptions options;
  options.latex.require_section = true;
  options.max_bytes = 100;
  ExtractLatex strict(options);
  CHECK(rule(strict, "\\alpha") == "extract.no_section");
  CHECK(rule(strict, std::string(200, '\\')) == "extract.too_large");
}

TEST_CASE("extract wikipedia") {
  ExtractWikipedia step({});
  const auto page = [](const std::string& head, const std::string& text) {
    return concat("<page><title>T</title><ns>0</ns><id>5</id>", head, "<text>", text,
                  "</text></page>");
  };
  const Document article = after(step, page("", "'''T''' is [[a|b]]."));
  CHECK(article.text == "T is b.");
  CHECK(article.id == "5");
  CHECK(member(article, "metadata.title").text == "T");
  CHECK(rule(step, "<page><ns>1</ns><text>x</text></page>") == "extract.namespace");
  CHECK(rule(step, page("<redirect title=\"x\" />", "x")) == "extract.redirect");
  CHECK(rule(step, page("", "#REDIRECT [[x]]")) == "extract.redirect");
  CHECK(rule(step, page("<model>json</model>", "{}")) == "extract.not_wikitext");
  CHECK(rule(step, page("", "{{x}}")) == "extract.empty");
  CHECK(after(step, "''wikitext'' alone").text == "wikitext alone");
  ExtractWikipediaOptions options;
  options.max_bytes = 5;
  ExtractWikipedia limited(options);
  CHECK(rule(limited, "too long") == "extract.too_large");
}
