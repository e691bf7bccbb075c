#include "lib/corpus/extract/steps.h"

#include <algorithm>

#include "lib/base/error.h"
#include "lib/corpus/extract/charset.h"
#include "lib/corpus/extract/latex_archive.h"
#include "lib/corpus/extract/plain_text.h"

namespace llmtool {

namespace {

enum HtmlFigure : size_t { kTextBytes, kShareKept, kLinkDensity };

std::string metadata_text(const Document& document, std::string_view path) {
  const MemberValue value = member(document, path);
  return value.found ? value.text : std::string();
}

// Whether a Content-Type may be that of a page; servers that do not know say octet-stream.
bool may_be_html(std::string_view type) {
  std::string lower;
  for (const char c : type) lower += ascii_lower(c);
  return lower.empty() || lower.find("html") != lower.npos || lower == "application/octet-stream" ||
         lower == "text/plain" || lower == "text/xml" || lower == "application/xml" ||
         lower == "*/*" || lower == "unk";
}

// The rule that drops a page before it is parsed; empty if none does.
bool rejected_unread(Document& document, size_t max_bytes) {
  const std::string status = metadata_text(document, "metadata.http_status");
  const std::string type = metadata_text(document, "metadata.content_type");
  if (!status.empty() && (status.size() != 3 || status[0] != '2')) {
    reject(document, "extract.http_status", status, "2xx");
  } else if (document.text.size() > max_bytes) {
    reject(document, "extract.too_large", concat(document.text.size()),
           concat("<= ", max_bytes, " bytes"));
  } else if (!may_be_html(type)) {
    reject(document, "extract.not_html", type, "text/html");
  }
  return document.rejected;
}

// own_label: what the text says of its encoding, if the metadata do not.
bool decode(Document& document, DecodedText& decoded, std::string_view own_label = {}) {
  std::string label = metadata_text(document, "metadata.charset");
  if (label.empty()) label = own_label;
  decoded = decode_page(document.text, label);
  if (!decoded.decodable) reject(document, "extract.charset", decoded.encoding);
  return decoded.decodable;
}

void add_charset(Document& document, const DecodedText& decoded) {
  add_text_metadata(document, "detected_charset", decoded.encoding);
  add_text_metadata(document, "charset_found_by", decoded.found_by);
}

}  // namespace

void add_text_metadata(Document& document, std::string_view name, std::string_view value) {
  if (!value.empty()) document.metadata.push_back({std::string(name), json_text(value)});
}

void set_text(Document& document, std::string text) {
  if (text.empty()) return reject(document, "extract.empty", "0", "some text");
  document.text = std::move(text);
  document.text_changed = true;
}

std::vector<Figure> ExtractHtml::figures() const {
  return {
      {"text_bytes", Figure::Scale::kLog, 10, 1e6, options_.min_text_bytes, std::nullopt},
      {"share_kept", Figure::Scale::kLog, 1e-4, 1, std::nullopt, std::nullopt},
      {"link_density", Figure::Scale::kLinear, 0, 1, std::nullopt, options_.max_link_density},
  };
}

void ExtractHtml::start(StepResources& resources) {
  extractors_.resize(static_cast<size_t>(resources.threads));
  for (auto& extractor : extractors_) extractor = std::make_unique<HtmlExtractor>(options_.html);
}

void ExtractHtml::work(Document& document, Tally& tally, int thread) {
  if (rejected_unread(document, options_.max_bytes)) return;
  DecodedText page;
  if (!decode(document, page)) return;
  if (!looks_like_html(page.text)) return reject(document, "extract.not_html", "no tag");
  HtmlText result = extractors_[static_cast<size_t>(thread)]->extract(page.text);
  if (result.truncated) {
    return reject(document, "extract.too_many_elements", {},
                  concat("<= ", options_.html.limits.max_nodes));
  }
  const auto bytes = static_cast<double>(result.text.size());
  if (!result.text.empty()) {
    tally.record(kTextBytes, bytes, document);
    tally.record(kShareKept, bytes / static_cast<double>(page.text.size()), document);
    tally.record(kLinkDensity, result.link_density, document);
  }
  add_charset(document, page);
  add_text_metadata(document, "title", result.title);
  add_text_metadata(document, "html_lang", result.language);
  set_text(document, std::move(result.text));
  if (document.rejected) return;
  if (options_.min_text_bytes && bytes < *options_.min_text_bytes) {
    reject(document, "extract.text_bytes", json_number(bytes),
           concat(">= ", *options_.min_text_bytes));
  } else if (options_.max_link_density && result.link_density > *options_.max_link_density) {
    reject(document, "extract.link_density", json_number(result.link_density),
           concat("<= ", *options_.max_link_density));
  }
}

void ExtractWet::work(Document& document, Tally&, int) {
  const std::string status = metadata_text(document, "metadata.http_status");
  const std::string type = metadata_text(document, "metadata.content_type");
  if (!status.empty() || (!type.empty() && type != "text/plain")) {
    return reject(document, "extract.not_conversion", type.empty() ? "a response" : type,
                  "text/plain");
  }
  set_text(document, clean_lines(document.text));
}

void ExtractGutenberg::work(Document& document, Tally&, int) {
  DecodedText decoded;
  if (!decode(document, decoded, gutenberg_charset(document.text))) return;
  GutenbergBook book = extract_gutenberg(clean_lines(decoded.text), options_);
  if (options_.require_markers && !book.start_found && !book.end_found) {
    return reject(document, "extract.no_markers", {}, "*** START OF THE PROJECT GUTENBERG EBOOK");
  }
  add_charset(document, decoded);
  add_text_metadata(document, "title", book.title);
  add_text_metadata(document, "author", book.author);
  add_text_metadata(document, "language", book.language);
  set_text(document, std::move(book.text));
}

void ExtractLatex::work(Document& document, Tally& tally, int) {
  const LatexSource source = read_latex_source(document.text, options_.max_bytes);
  if (!source.error.empty()) return reject(document, source.error);
  LatexText paper = extract_latex(source.text, options_.latex);
  if (options_.latex.require_section && !paper.section_found) {
    return reject(document, "extract.no_section");
  }
  if (source.missing > 0) tally.change("inputs not found", source.missing, 0, {}, document);
  if (paper.expansion_stopped) tally.change("papers with too many expansions", 1, 0, {}, document);
  document.metadata.push_back({"macros", concat(paper.macros)});
  document.metadata.push_back({"expansions", concat(paper.expansions)});
  if (source.main != "main.tex") add_text_metadata(document, "tex_main", source.main);
  set_text(document, std::move(paper.text));
}

void ExtractWikipedia::work(Document& document, Tally&, int) {
  if (document.text.size() > options_.max_bytes) {
    return reject(document, "extract.too_large", concat(document.text.size()),
                  concat("<= ", options_.max_bytes, " bytes"));
  }
  WikiPage page = read_wiki_page(document.text);
  if (!page.found) page.markup = document.text;
  if (page.found) {
    const auto& kept = options_.namespaces;
    if (std::find(kept.begin(), kept.end(), page.ns) == kept.end()) {
      return reject(document, "extract.namespace", concat(page.ns), "an article");
    }
    if (page.model != "wikitext") {
      return reject(document, "extract.not_wikitext", page.model, "wikitext");
    }
    if (document.id.empty()) document.id = page.id;
    add_text_metadata(document, "title", page.title);
    add_text_metadata(document, "page_id", page.id);
    document.metadata.push_back({"namespace", concat(page.ns)});
  }
  if (page.redirect || is_redirect(page.markup)) return reject(document, "extract.redirect");
  set_text(document, text_of_wikitext(page.markup, options_.wikitext));
}

}  // namespace llmtool
