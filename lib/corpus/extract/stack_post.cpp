#include <charconv>

#include "lib/corpus/extract/html_blocks.h"
#include "lib/corpus/extract/html_entities.h"
#include "lib/corpus/extract/html_text.h"
#include "lib/corpus/extract/plain_text.h"
#include "lib/corpus/extract/stackexchange.h"

namespace llmtool {

namespace {

// Calls f(name, value) for each attribute name="value"; the value as it stands. False if the row
// does not end behind them.
template <class F>
bool for_each_attribute(std::string_view row, F&& f) {
  size_t at = 0;
  while (at < row.size()) {
    while (at < row.size() && is_ascii_space(row[at])) ++at;
    const size_t equals = row.find('=', at);
    if (equals == row.npos) return at < row.size() && (row[at] == '/' || row[at] == '>');
    if (equals + 1 == row.size()) return false;
    const char quote = row[equals + 1];
    if (quote != '"' && quote != '\'') return false;
    const size_t end = row.find(quote, equals + 2);
    if (end == row.npos) return false;
    f(trimmed(row.substr(at, equals - at)), row.substr(equals + 2, end - equals - 2));
    at = end + 1;
  }
  return false;
}

template <class Integer>
Integer number(std::string_view text) {
  Integer value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

StackPost::Kind kind_of(std::string_view type) {
  if (type == "1") return StackPost::Kind::kQuestion;
  return type == "2" ? StackPost::Kind::kAnswer : StackPost::Kind::kOther;
}

}  // namespace

StackPost read_stack_post(std::string_view row, bool with_text) {
  StackPost post;
  row = trimmed(row);
  if (!row.starts_with("<row") || row.size() < 5 || !is_ascii_space(row[4])) return post;
  post.kind = StackPost::Kind::kOther;
  bool deleted = false;
  const bool ends =
      for_each_attribute(row.substr(4), [&](std::string_view name, std::string_view value) {
        if (name == "PostTypeId") post.kind = kind_of(value);
        if (name == "Id") post.id = number<uint64_t>(value);
        if (name == "ParentId") post.parent = number<uint64_t>(value);
        if (name == "AcceptedAnswerId") post.accepted = number<uint64_t>(value);
        if (name == "Score") post.score = number<int64_t>(value);
        if (name == "DeletionDate") deleted = !value.empty();
        if (!with_text) return;
        if (name == "Title") post.title = clean_lines(without_references(value));
        if (name == "Body") post.body = clean_lines(without_references(value));
        if (name == "Tags") post.tags = clean_lines(without_references(value));
        if (name == "CreationDate") post.date = clean_lines(value);
      });
  if (deleted) post.kind = StackPost::Kind::kDeleted;
  if (!ends) post.kind = StackPost::Kind::kCut;
  return post;
}

std::string text_of_fragment(std::string_view html, HtmlTree& tree) {
  parse_html(html, {}, tree);
  std::vector<HtmlBlock> blocks;
  cut_into_blocks(tree, {}, blocks);
  return text_of_blocks(tree, {}, blocks, false);
}

std::string tags_as_json(std::string_view tags) {
  std::string json = "[";
  while (true) {
    const size_t begin = tags.find_first_not_of("<>|");
    if (begin == tags.npos) break;
    const size_t end = std::min(tags.find_first_of("<>|", begin), tags.size());
    if (json.size() > 1) json += ',';
    json += json_text(tags.substr(begin, end - begin));
    tags.remove_prefix(end);
  }
  return json + "]";
}

}  // namespace llmtool
