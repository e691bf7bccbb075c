#include <CLI/CLI.hpp>
#include <memory>

#include "cmd/corpus_step.h"
#include "lib/corpus/extract/steps.h"

namespace llmtool {

namespace {

constexpr const char* kFooter =
    "Definition. The encoding: a byte order mark; else valid UTF-8 whatever is claimed; else the\n"
    "HTTP header, else <meta>; else Mozilla's detector; labels as WHATWG reads them. The page is\n"
    "freed of scripts, styles, comments, forms' controls and pictures, parsed by libxml2, and cut\n"
    "into blocks: runs of text that a browser would set as one paragraph. Lengths are bytes that\n"
    "are no white space; the link density of a block is its share inside <a href>.\n"
    "  A block is good if it has 60 bytes, punctuation and a link density under 0.35, or 200\n"
    "  bytes and under 0.5, or is <pre> with 20 bytes.\n"
    "  Left out: nav, footer, aside, form, menu, header outside main or article, figcaption, what\n"
    "  is hidden, and what class, id or role call navigation, menu, sidebar, share, related,\n"
    "  cookie, advertisement, comment, ...; but nothing that holds most of the good text, nor "
    "long\n"
    "  text nearly without links.\n"
    "  The main text is the innermost of main, article, role=main, itemprop=articleBody or a\n"
    "  class such as entry-content that holds 60% of the good text, else the page; and from there\n"
    "  down while one element holds 95%.\n"
    "  In it stay good blocks, list items, table cells, and sentences of 25 bytes; of lists,\n"
    "  tables and boxes made of links only the good blocks; other short blocks stay between or\n"
    "  beside kept ones, headings where text follows.\n"
    "  Text: an empty line between blocks; \"- \" or \"1. \" before items, \" | \" between cells;\n"
    "  <pre> as it stands.\n"
    "--favour precision also drops headers in articles and short lists between other blocks;\n"
    "recall keeps captions, by-lines, boxes inside the main text, and all short blocks.\n"
    "Metadata added: title, html_lang, detected_charset, charset_found_by; reading a WARC adds "
    "url,\n"
    "date, http_status, content_type, and truncated to a body that ends too early. Dropped under\n"
    "extract.http_status, not_html, too_large, charset, too_many_elements, empty, text_bytes,\n"
    "link_density. Cost is linear in the page, whatever it nests.\n\n"
    "Example:\n"
    "  llmtool extract html crawl.warc.gz --output pages.jsonl.zst --report report";

StepMaker define(CLI::App& app) {
  auto o = std::make_shared<ExtractHtmlOptions>();
  auto favour = std::make_shared<std::string>("balance");
  app.add_option("--favour", *favour, "What to decide doubtful parts by")
      ->check(CLI::IsMember({"balance", "precision", "recall"}))
      ->capture_default_str();
  app.add_flag("--include-comments,!--no-comments", o->html.include_comments,
               "Keep what readers wrote below");
  app.add_flag("--include-tables,!--no-tables", o->html.include_tables,
               "Keep tables (the default)");
  app.add_flag("--keep-links", o->html.keep_links, "Links as [text](address)");
  app.add_option("--max-bytes", o->max_bytes, "Drop larger pages")->capture_default_str();
  app.add_option("--max-depth", o->html.limits.max_depth,
                 "Close all elements when more are open; the text stays")
      ->check(CLI::Range(16, 100000))
      ->capture_default_str();
  app.add_option("--max-elements", o->html.limits.max_nodes,
                 "Drop pages with more elements and texts")
      ->capture_default_str();
  app.add_option("--min-text-bytes", o->min_text_bytes, "Drop pages with less main text");
  app.add_option("--max-link-density", o->max_link_density,
                 "Drop pages whose main text has more of it inside links")
      ->check(CLI::Range(0.0, 1.0));
  app.footer(kFooter);
  return [o, favour] {
    using Favour = HtmlOptions::Favour;
    o->html.favour = *favour == "precision" ? Favour::kPrecision
                     : *favour == "recall"  ? Favour::kRecall
                                            : Favour::kBalance;
    return std::make_unique<ExtractHtml>(*o);
  };
}

const RegisterStep extract_html{{"extract html", "Main text of web pages", 11, define, "warc"}};

}  // namespace
}  // namespace llmtool
