#include "lib/corpus/extract/wikitext.h"

#include <chrono>
#include <doctest/doctest.h>
#include <random>

#include "lib/text/utf8.h"
#include "tests/fuzz_rounds.h"

using namespace llmtool;

namespace {

std::string text(std::string_view markup) {
  return text_of_wikitext(markup, {});
}

}  // namespace

TEST_CASE("templates, nested and not closed") {
  CHECK(text("a {{x|{{y|z}}|[[b]]}}c") == "a c");
  CHECK(text("{{Infobox\n| a = b\n}}\nText.") == "Text.");
  CHECK(text("a {{{1|x}}} b") == "a b");
  CHECK(text("a {{never closed [[b]]") == "a {{never closed b");
  CHECK(text("a }} b") == "a }} b");
  CHECK(text("{{lang|fr|bonjour}} {{nowrap|1 km}} {{lang-de|''Wort''}}") == "bonjour 1 km Wort");
}

TEST_CASE("links") {
  CHECK(text("[[Paris]] [[Paris|the city]] [[Paris]]ian [[a|''b'']]") ==
        "Paris the city Parisian b");
  CHECK(text("[[:Category:X]] [[Help:Foo (bar)|]]") == "Category:X Foo");
  CHECK(text("a [[File:x.jpg|thumb|A [[b]] and [[c|d]].]] e") == "a e");
  CHECK(text("a[[Datei:x.jpg|mini]][[Категория:Город]][[ファイル:x.png]]b") == "ab");
  CHECK(text("Text\n\n[[Category:A]]\n[[de:Stadt]]\n[[zh-min-nan:X]]") == "Text");
  CHECK(text("[[wikt:word|word]] [[never closed") == "word [[never closed");
  CHECK(text("see [http://x.org the site], [https://y.org] and http://z.org [sic]") ==
        "see the site,  and http://z.org [sic]");
}

TEST_CASE("tags: references, literal text, line breaks") {
  CHECK(text("a {{b}}, c {{d}}.") == "a, c.");
  CHECK(text("a<ref>b {{c}}</ref> d<ref name=x /> e<REF name=\"y\">f</REF>.") == "a d e.");
  CHECK(text("<nowiki>[[a]] ''b''</nowiki> &lt;i&gt; <!-- c --><b>d</b><br/>e") ==
        "[[a]] ''b'' <i> d\ne");
  CHECK(text("<math>x_{{i}}</math> <code>a[[0]]</code>") == "x_{{i}} a[[0]]");
  CHECK(text("<gallery>\nA.jpg|b\n</gallery>\nText") == "Text");
  CHECK(text("a <ref>never closed b") == "a never closed b");
  CHECK(text("2 < 3 <!-- never closed") == "2 < 3 <!-- never closed");
}

TEST_CASE("quotes, lists, headings, magic words") {
  CHECK(text("'''a''' ''b'' '''''c''''' l'eau d''''e'''") == "a b c l'eau d'e");
  CHECK(text("* a\n** b\n# c\n: d\n; e") == "- a\n- b\n- c\nd\ne");
  CHECK(text("== A [[b|c]] ==\nText\n=== D ===\n== E ==\n") == "A c\nText");
  CHECK(text("== A ==\n=== B ===\nText") == "A\nB\nText");
  CHECK(text("== A ==\n=== B ===\n== C ==\nText") == "C\nText");
  CHECK(text("__NOTOC__a_b __x__") == "a_b __x__");
  CHECK(text("a&nbsp;b &ndash; c") == "a b – c");
}

TEST_CASE("tables") {
  const std::string table =
      "a\n{| class=x\n! h1 !! h2\n|-\n| c || d\n|- style=y\n| style=\"z\" | e\n| f\n|}\nb";
  CHECK(text(table) == "a\nb");
  const std::string kept = text_of_wikitext(table, {.keep_tables = true});
  CHECK(kept.find("h1 | h2\n\nc | d") != std::string::npos);
  CHECK(kept.find("style") == std::string::npos);
  CHECK(kept.ends_with("f\n\nb"));
  CHECK(text("a\n{| b\n| c") == "a\n{| b\n| c");
}

TEST_CASE("redirects in any language") {
  CHECK(is_redirect("#REDIRECT [[A]]"));
  CHECK(is_redirect("#перенаправление [[A]]"));
  CHECK(is_redirect("\n#WEITERLEITUNG[[A]]"));
  CHECK(!is_redirect("# a list item with a [[link]]"));
  CHECK(!is_redirect("Text #REDIRECT [[A]]"));
  CHECK(!is_redirect(""));
}

TEST_CASE("a page of a dump") {
  const WikiPage page = read_wiki_page(
      "  <page>\n<title>A &amp; B</title><ns>14</ns><id>7</id><redirect title=\"C\" />"
      "<revision><id>9</id><model>wikitext</model><text bytes=\"3\" xml:space=\"preserve\">"
      "&lt;b&gt;x &amp;lt; y</text></revision></page>");
  CHECK(page.found);
  CHECK(page.title == "A & B");
  CHECK(page.id == "7");
  CHECK(page.ns == 14);
  CHECK(page.redirect);
  CHECK(page.model == "wikitext");
  CHECK(page.markup == "<b>x &lt; y");
  CHECK(read_wiki_page("<page><title>x</title><text/></page>").markup == "");
  CHECK(!read_wiki_page("'''wikitext'''").found);
}

TEST_CASE("hostile markup costs time in proportion to its size") {
  for (const char* unit :
       {"{{", "}}", "[[", "]]", "{|\n", "\n|}", "<ref>", "<!--", "<nowiki>", "'''", "{{{",
        "[http://a ", "\n=", "[[a|", "{{a|[[b", "{|{{", "&amp;", "&nbsp;", "{{lang|x|"}) {
    CAPTURE(unit);
    std::string markup;
    while (markup.size() < (1u << 20)) markup += unit;
    const auto start = std::chrono::steady_clock::now();
    CHECK(text(markup).size() <= markup.size() + 16);
    CHECK(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() <
          8);  // quadratic would be minutes
  }
}

TEST_CASE("damaged markup gives valid text") {
  std::mt19937 random(13);
  const std::string seed =
      "{{a|b={{c}}}}\n== H ==\n'''x''' [[File:y|z [[w]]]] [[p|q]] <ref>r</ref><nowiki>s</nowiki>\n"
      "{|\n! t\n|-\n| u || v\n|}\n* l &amp; {{lang|fr|m}} [http://n o]\n[[Category:k]]";
  for (int round = 0; round < fuzz_rounds(3000); ++round) {
    std::string markup = seed;
    for (size_t n = random() % 15; n > 0 && !markup.empty(); --n) {
      const size_t at = random() % markup.size();
      if (random() % 2 == 0) {
        markup[at] = "[]{}|<>='\n*#&;!-/ a"[random() % 19];
      } else {
        markup.insert(at, markup.substr(random() % markup.size(), random() % 12));
      }
    }
    const std::string result = text_of_wikitext(markup, {.keep_tables = round % 2 == 0});
    CHECK(first_invalid_utf8(result) == std::string::npos);
    CHECK(result.size() <= markup.size() * 2 + 16);
  }
}
