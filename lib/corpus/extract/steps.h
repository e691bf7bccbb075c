// The extract steps. Each turns the text of a document, bytes as they were found, into clean UTF-8.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "lib/corpus/extract/gutenberg.h"
#include "lib/corpus/extract/html.h"
#include "lib/corpus/extract/latex.h"
#include "lib/corpus/extract/wikitext.h"
#include "lib/corpus/step.h"

namespace llmtool {

struct ExtractHtmlOptions {
  HtmlOptions html;
  size_t max_bytes = 20 << 20;  // of a page
  std::optional<double> min_text_bytes, max_link_density;
};

// Adds metadata title, html_lang, detected_charset, charset_found_by. Reads metadata.charset,
// metadata.content_type and metadata.http_status where the input had HTTP headers. Rules:
//   extract.http_status        not 2xx
//   extract.not_html           of another type, or nothing in it looks like HTML
//   extract.too_large          more than max_bytes
//   extract.charset            in an encoding that must not or cannot be decoded
//   extract.too_many_elements  more than limits.max_nodes
//   extract.empty              no main text
//   extract.text_bytes, extract.link_density   outside the thresholds
class ExtractHtml : public Step {
 public:
  explicit ExtractHtml(const ExtractHtmlOptions& options) : options_(options) {}
  std::string name() const override { return "extract html"; }
  std::vector<Figure> figures() const override;
  void start(StepResources& resources) override;
  void work(Document& document, Tally& tally, int thread) override;

 private:
  ExtractHtmlOptions options_;
  std::vector<std::unique_ptr<HtmlExtractor>> extractors_;  // of each thread
};

// The conversion records of a WET file. Rules: extract.not_conversion (a response, or of a type
// that is not text/plain), extract.empty.
class ExtractWet : public Step {
 public:
  std::string name() const override { return "extract wet"; }
  void work(Document& document, Tally& tally, int thread) override;
};

// Adds metadata title, author, language, detected_charset. Rules: extract.no_markers (only with
// require_markers), extract.charset, extract.empty.
class ExtractGutenberg : public Step {
 public:
  explicit ExtractGutenberg(const GutenbergOptions& options) : options_(options) {}
  std::string name() const override { return "extract gutenberg"; }
  void work(Document& document, Tally& tally, int thread) override;

 private:
  GutenbergOptions options_;
};

struct ExtractLatexOptions {
  LatexOptions latex;
  size_t max_bytes = 50 << 20;  // of a paper, unpacked
};

// Adds metadata macros, expansions, and tex_main for an archive. Rules: extract.too_large,
// extract.not_latex (PDF, PostScript, no control word), extract.no_main_file, extract.no_section
// (only with require_section), extract.empty.
class ExtractLatex : public Step {
 public:
  explicit ExtractLatex(const ExtractLatexOptions& options) : options_(options) {}
  std::string name() const override { return "extract latex"; }
  void work(Document& document, Tally& tally, int thread) override;

 private:
  ExtractLatexOptions options_;
};

struct ExtractWikipediaOptions {
  WikitextOptions wikitext;
  std::vector<int> namespaces = {0};
  size_t max_bytes = 20 << 20;
};

// A <page> of a dump, or wikitext. Adds metadata title, page_id, namespace; the id of the page
// becomes that of a document without one. Rules: extract.too_large, extract.namespace,
// extract.redirect, extract.not_wikitext (another content model), extract.empty.
class ExtractWikipedia : public Step {
 public:
  explicit ExtractWikipedia(const ExtractWikipediaOptions& options) : options_(options) {}
  std::string name() const override { return "extract wikipedia"; }
  void work(Document& document, Tally& tally, int thread) override;

 private:
  ExtractWikipediaOptions options_;
};

// What the steps have in common.
void set_text(Document& document, std::string text);  // rejects as extract.empty if it is empty
void add_text_metadata(Document& document, std::string_view name, std::string_view value);

}  // namespace llmtool
