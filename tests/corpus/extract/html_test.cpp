#include "lib/corpus/extract/html.h"

#include <chrono>
#include <doctest/doctest.h>
#include <random>

#include "lib/corpus/extract/html_sweep.h"
#include "lib/text/utf8.h"
#include "tests/fuzz_rounds.h"

using namespace llmtool;

namespace {

const std::string kOne =
    "The first paragraph is long enough to be running text, with commas, and a full stop.";
const std::string kTwo =
    "The second one says more of the same, so that nobody takes it for a menu or a label.";

std::string main_text(const std::string& page, HtmlOptions options = {}) {
  return HtmlExtractor(options).extract(page).text;
}

std::string article(const std::string& inside) {
  return "<html><body><article><p>" + kOne + "</p>" + inside + "<p>" + kTwo +
         "</p></article></body></html>";
}

// What stands between the two paragraphs.
std::string between(const std::string& inside, HtmlOptions options = {}) {
  const std::string text = main_text(article(inside), options);
  REQUIRE(text.starts_with(kOne + "\n\n"));
  REQUIRE(text.ends_with("\n\n" + kTwo));
  const size_t from = kOne.size() + 2, to = text.size() - kTwo.size() - 2;
  return to > from ? text.substr(from, to - from) : "";
}

std::string swept(std::string_view page) {
  HtmlSweep sweep(page);
  std::string out;
  while (sweep.next(out)) {
  }
  return out;
}

double seconds_for(const std::string& page) {
  const auto start = std::chrono::steady_clock::now();
  HtmlExtractor({}).extract(page);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::string repeated(std::string_view what, size_t times) {
  std::string out;
  out.reserve(what.size() * times);
  for (size_t i = 0; i < times; ++i) out += what;
  return out;
}

}  // namespace

TEST_CASE("the sweep leaves elements and text, and nothing else") {
  CHECK(swept("<p title='a>b' onclick=\"x\">a</p>") == "<p>a</p>");
  CHECK(swept("a<!-- <p> -- > -->b<!-->c<?php x ?>d<![CDATA[e]]>f") == "abcdf");
  CHECK(swept("<script>if (a</b) x</scriptx></script>y") == " y");
  CHECK(swept("<STYLE>p{}</STYLE ><b>x</b><font color=red>y") == " xy");
  CHECK(swept("1 < 2 &lt; 3 &amp;amp; &eacute; &nosuch; &#x3c;") ==
        "1 &lt; 2 &lt; 3 &amp;amp; é &amp;nosuch; &lt;");
  CHECK(swept(std::string("a\0b\x01\x1f<p\0>c", 11)).find('\0') == std::string::npos);
  CHECK(swept("<svg><svg><p>x</svg></svg>y<svg/>z<button>b</button>") == " y z ");
  CHECK(swept("<svg><p>never closed") == " <p>never closed");
  CHECK(swept("</p/x></ p><p") == "</p><p>");
  CHECK(swept("<span><span class=hidden></span></span>") == "<span a=0></span>");
  CHECK(swept("<p><section>x").find("</p>") == 3);
}

TEST_CASE("title, language and description") {
  const HtmlText page = HtmlExtractor({}).extract(
      "<html lang=de-AT><head><title>\n A &amp; B </title><meta property='og:title' content=C>"
      "<meta name=description content='D &lt; E'></head><body><svg><title>no</title></svg>");
  CHECK(page.title == "A & B");
  CHECK(page.language == "de-AT");
  CHECK(page.description == "D < E");
  CHECK(page.text == "");
  CHECK(HtmlExtractor({}).extract("<meta property=og:title content=C>").title == "C");
}

TEST_CASE("white space is as CSS shows it") {
  CHECK(between("<p> a <b>b </b> c\n\td<i>e</i>,&nbsp;f </p>") == "a b c de, f");
  CHECK(between("<p>a<br>b <br/> c</p>") == "a\nb\nc");
  CHECK(between("<div>a<div>b</div>c</div>") == "a\n\nb\n\nc");
  CHECK(between("<p>soft&shy;hyphen, zero&#8203;width</p>") == "softhyphen, zerowidth");
  CHECK(between("<pre>  int  a;\n\n\tint b;\n</pre>") == "  int  a;\n\n\tint b;");
}

TEST_CASE("lists, tables, headings, code") {
  CHECK(between("<ul><li>one<li>two<ul><li>three</ul></ul>") == "- one\n- two\n- three");
  CHECK(between("<ol><li>one</li><li><p>two</p><p>more</p></li></ol>") == "1. one\n2. two\nmore");
  CHECK(between("<table><tr><th>a<th>b<tr><td>c<td>d</table>") == "a | b\nc | d");
  CHECK(between("<table><tr><td>a<td>b</table>", {.include_tables = false}) == "");
  CHECK(between("<h2>Heading</h2>") == "Heading");
  CHECK(between("<p>Call <code>f(x)</code> <kbd>now</kbd>.</p>") == "Call f(x) now.");
  CHECK(main_text(article("") + "<h2>Nothing follows</h2>").ends_with(kTwo));
}

TEST_CASE("what is not the main text goes") {
  for (const char* around :
       {"<nav>", "<footer>", "<aside>", "<form>", "<div class=sidebar>", "<div id=cookie-banner>",
        "<div role=navigation>", "<div class='post-comments'>", "<div hidden>",
        "<p aria-hidden=true>", "<div style='color:red; display : none'>",
        "<div class='share-buttons'>", "<figcaption>"}) {
    CAPTURE(around);
    CHECK(between(std::string(around) + "Words that nobody wants here, or is it so?</div></nav>"
                                        "</footer></aside></form></p></figcaption>") == "");
  }
  CHECK(between("<ul><li><a href=/a>One link</a><li><a href=/b>Another link</a></ul>") == "");
  CHECK(between("<p>See <a href=/a>this page</a> for details, please.</p>") ==
        "See this page for details, please.");
}

TEST_CASE("comments and links when they are asked for") {
  const std::string comment = "<div class=comment>I like this page, it has words.</div>";
  CHECK(between(comment) == "");
  CHECK(between(comment, {.include_comments = true}) == "I like this page, it has words.");
  CHECK(between("<p>See <a href='/a?b=1&amp;c=2'> that\n page</a>, or this one.</p>",
                {.keep_links = true}) == "See [that page](/a?b=1&c=2), or this one.");
}

TEST_CASE("a page that hides its text in a wrong class is still read") {
  CHECK(main_text("<div class=sidebar><p>" + kOne + "</p><p>" + kTwo + "</p></div>") ==
        kOne + "\n\n" + kTwo);
}

TEST_CASE("unclosed and crossed elements") {
  CHECK(main_text("<p>" + kOne + "<p>" + kTwo) == kOne + "\n\n" + kTwo);
  CHECK(main_text("</div></body></html><p>" + kOne + "</b></p></x><b><p>" + kTwo) ==
        kOne + "\n\n" + kTwo);
}

TEST_CASE("whether bytes look like HTML") {
  CHECK(looks_like_html("<!DOCTYPE html>"));
  CHECK(looks_like_html("\n <p>x"));
  CHECK(!looks_like_html("a < b"));
  CHECK(!looks_like_html("%PDF-1.4"));
  CHECK(!looks_like_html(""));
}

TEST_CASE("hostile pages cost time in proportion to their size") {
  struct Case {
    const char* name;
    std::string unit;
  };
  const std::string text = "<p>" + kOne + "</p>";
  for (const Case& c :
       std::initializer_list<Case>{{"nested div", "<div>"},
                                   {"nested lists and rows", "<li><tr>"},
                                   {"nested tables", "<table><tr><td>"},
                                   {"unclosed inline", "<a href=x><span class=hidden><code>"},
                                   {"crossed", "<p><a href=x><div></p></a>"},
                                   {"attributes", "a=1 b='2' class=\"nav\" "},
                                   {"end tags", "</div></p></x></span>"},
                                   {"svg", "<svg>"},
                                   {"comments", "<!--"},
                                   {"references", "&amp;&#x26;&"},
                                   {"less-than", "<"},
                                   {"titles", "<title>"},
                                   {"breaks", "<br>"},
                                   {"list items", "<li>a"}}) {
    CAPTURE(c.name);
    const std::string prefix = c.unit.front() == 'a' ? "<p " : "";
    const std::string small = prefix + repeated(c.unit, (size_t{1} << 18) / c.unit.size());
    const std::string large = prefix + repeated(c.unit, (size_t{1} << 21) / c.unit.size());
    const double of_small = std::min(seconds_for(small), seconds_for(small));
    // Eight times the size; a quadratic cost would be 64 times.
    CHECK(std::min(seconds_for(large), seconds_for(large)) < std::max(1.0, of_small * 30));
    CHECK(HtmlExtractor({}).extract(large + ">-->" + text + text).text.size() < large.size() * 2);
  }
}

TEST_CASE("a tree has no more nodes than allowed") {
  HtmlOptions options;
  options.limits.max_nodes = 1000;
  const HtmlText page = HtmlExtractor(options).extract(repeated("<p>x</p>", 5000));
  CHECK(page.truncated);
  CHECK(!HtmlExtractor({}).extract("<p>x").truncated);
}

TEST_CASE("damaged pages give valid text") {
  std::mt19937 random(11);
  const std::string seed = article(
      "<nav><ul><li><a href='/x'>y</a></ul></nav><table><tr><td>1<td>2</table><pre>x\n y</pre>"
      "<h2>h</h2><ol><li>a<li>b</ol><script>x</script><!-- c --><span hidden>s</span>&eacute;");
  HtmlExtractor extractor({.include_comments = true, .keep_links = true});
  for (int round = 0; round < fuzz_rounds(2000); ++round) {
    std::string page = seed;
    for (size_t n = random() % 20; n > 0; --n) {
      const size_t at = random() % page.size();
      switch (random() % 3) {
        case 0:
          page[at] = "<>/&;'\"= -!\n\0x"[random() % 14];
          break;
        case 1:
          page.erase(at, random() % 20);
          break;
        default:
          page.insert(at, page.substr(random() % page.size(), random() % 40));
      }
      if (page.empty()) page = "<";
    }
    const HtmlText result = extractor.extract(with_valid_utf8(page));
    CHECK(first_invalid_utf8(result.text) == std::string::npos);
    CHECK(result.text.size() <= page.size() * 2 + 100);
  }
}
