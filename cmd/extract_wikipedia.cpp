#include <CLI/CLI.hpp>
#include <memory>

#include "cmd/corpus_step.h"
#include "lib/corpus/extract/steps.h"

namespace llmtool {

namespace {

StepMaker define(CLI::App& app) {
  auto o = std::make_shared<ExtractWikipediaOptions>();
  app.add_flag("--keep-tables", o->wikitext.keep_tables, "Tables as lines, \" | \" between cells");
  app.add_option("--namespaces", o->namespaces, "Pages to keep: 0 is the articles")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--max-bytes", o->max_bytes, "Drop larger pages")->capture_default_str();
  app.footer(
      "Definition. A document is one <page> of a MediaWiki XML dump (--format mediawiki; its last\n"
      "revision counts) or wikitext in the text of JSONL. Goes: comments, <ref>, galleries,\n"
      "templates (but the text of {{lang|fr|text}}, {{nowrap|text}} and their kin stays), tables,\n"
      "files, categories and interlanguage links under their names in many languages, magic "
      "words,\n"
      "bold and italic quotes, and headings that no text follows. Stays: the label of a link, "
      "else\n"
      "its target; of an outer link its label; what is in <nowiki>, <pre>, <math>, <code>,\n"
      "<syntaxhighlight>. List marks become \"- \", headings plain lines, character references\n"
      "what they stand for. What is opened and never closed stays as text.\n"
      "Metadata added: title, page_id, namespace; the page's id becomes that of the document.\n"
      "Dropped under extract.namespace, redirect, not_wikitext, too_large, empty.\n\n"
      "Example:\n"
      "  llmtool extract wikipedia enwiki-pages-articles.xml.zst --output wiki.jsonl.zst");
  return [o] { return std::make_unique<ExtractWikipedia>(*o); };
}

const RegisterStep extract_wikipedia{
    {"extract wikipedia", "Articles of MediaWiki XML dumps", 11, define, "mediawiki"}};

}  // namespace
}  // namespace llmtool
