#include "lib/corpus/extract/html_tree.h"

#include <charconv>
#include <cstring>
#include <libxml/HTMLparser.h>
#include <memory>
#include <new>

#include "lib/base/error.h"
#include "lib/corpus/extract/html_sweep.h"

namespace llmtool {

namespace {

// Our own element around the page: no tag of the page can close it.
constexpr std::string_view kRootName = "x-root";

// Turns the parser's events into nodes.
class TreeBuilder {
 public:
  TreeBuilder(const HtmlSweep& sweep, const HtmlLimits& limits, HtmlTree& tree)
      : sweep_(sweep), limits_(limits), tree_(tree) {}

  void start(std::string_view name, const xmlChar** attributes) {
    if (name == kRootName) return;
    SweptElement element;
    if (attributes != nullptr && attributes[0] != nullptr && attributes[1] != nullptr) {
      const char* digits = reinterpret_cast<const char*>(attributes[1]);
      size_t index = 0;
      std::from_chars(digits, digits + std::strlen(digits), index);
      if (index < sweep_.elements().size()) element = sweep_.elements()[index];
    } else {
      element.tag = tag_of(name);
    }
    if (is_full()) return open_.push_back(-1);
    HtmlNode node{.tag = element.tag, .hints = element.hints};
    if (!element.href.empty()) {
      node.text_begin = static_cast<uint32_t>(tree_.hrefs.size());
      tree_.hrefs.push_back(element.href);
    }
    open_.push_back(add(node));
  }

  void end(std::string_view name) {
    if (name == kRootName || open_.empty()) return;
    close_last();
  }

  void characters(const char* data, size_t size) {
    HtmlNode& last = tree_.nodes.back();
    const auto begin = static_cast<uint32_t>(tree_.text.size());
    if (last.tag == Tag::kText && last.parent == parent() && last.text_end == begin) {
      tree_.text.append(data, size);
      last.text_end += static_cast<uint32_t>(size);
      return;
    }
    if (is_full()) return;
    tree_.text.append(data, size);
    add({.tag = Tag::kText, .text_begin = begin, .text_end = begin + static_cast<uint32_t>(size)});
  }

  void close_all() {
    while (!open_.empty()) close_last();
  }

 private:
  int32_t parent() const { return open_.empty() ? 0 : open_.back(); }

  bool is_full() {
    tree_.truncated = tree_.truncated || tree_.nodes.size() >= limits_.max_nodes;
    return tree_.truncated;
  }

  int32_t add(HtmlNode node) {
    node.parent = parent();
    const auto index = static_cast<int32_t>(tree_.nodes.size());
    node.end = static_cast<uint32_t>(index) + 1;
    tree_.nodes.push_back(node);
    return index;
  }

  void close_last() {
    const int32_t index = open_.back();
    open_.pop_back();
    if (index >= 0) {
      tree_.nodes[static_cast<size_t>(index)].end = static_cast<uint32_t>(tree_.nodes.size());
    }
  }

  const HtmlSweep& sweep_;
  const HtmlLimits& limits_;
  HtmlTree& tree_;
  std::vector<int32_t> open_;
};

void on_start(void* builder, const xmlChar* name, const xmlChar** attributes) {
  static_cast<TreeBuilder*>(builder)->start(reinterpret_cast<const char*>(name), attributes);
}
void on_end(void* builder, const xmlChar* name) {
  static_cast<TreeBuilder*>(builder)->end(reinterpret_cast<const char*>(name));
}
void on_characters(void* builder, const xmlChar* data, int size) {
  static_cast<TreeBuilder*>(builder)->characters(reinterpret_cast<const char*>(data),
                                                 static_cast<size_t>(size));
}

xmlSAXHandler make_handler() {
  xmlSAXHandler handler;
  std::memset(&handler, 0, sizeof(handler));
  handler.startElement = on_start;
  handler.endElement = on_end;
  handler.characters = on_characters;
  handler.cdataBlock = on_characters;
  handler.ignorableWhitespace = on_characters;
  return handler;
}

struct FreeParser {
  void operator()(htmlParserCtxt* parser) const { htmlFreeParserCtxt(parser); }
};
using Parser = std::unique_ptr<htmlParserCtxt, FreeParser>;

Parser new_parser(TreeBuilder& builder) {
  static const bool ready = (xmlInitParser(), true);
  LLMTOOL_ASSERT(ready);
  static xmlSAXHandler handler = make_handler();
  Parser parser(
      htmlCreatePushParserCtxt(&handler, &builder, nullptr, 0, nullptr, XML_CHAR_ENCODING_UTF8));
  if (!parser) throw std::bad_alloc();
  htmlCtxtUseOptions(parser.get(), HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
                                       HTML_PARSE_NOIMPLIED | HTML_PARSE_NONET |
                                       HTML_PARSE_NODEFDTD);
  return parser;
}

}  // namespace

void parse_html(std::string_view page, const HtmlLimits& limits, HtmlTree& tree) {
  tree.nodes.clear();
  tree.text.clear();
  tree.hrefs.clear();
  tree.truncated = false;
  tree.nodes.push_back({.tag = Tag::kRoot});
  HtmlSweep sweep(page);
  TreeBuilder builder(sweep, limits, tree);
  std::string piece;
  bool more = true;
  while (more) {
    const Parser parser = new_parser(builder);
    piece = "<x-root>";
    while (more && parser->nameNr <= limits.max_depth) {
      more = sweep.next(piece);
      htmlParseChunk(parser.get(), piece.data(), static_cast<int>(piece.size()), 0);
      piece.clear();
    }
    htmlParseChunk(parser.get(), nullptr, 0, 1);
    builder.close_all();
  }
  tree.nodes[0].end = static_cast<uint32_t>(tree.nodes.size());
  tree.title = sweep.title();
  tree.language = sweep.language();
  tree.description = sweep.description();
  tree.tags = sweep.tags();
}

}  // namespace llmtool
