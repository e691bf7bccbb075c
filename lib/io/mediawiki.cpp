// The pages of a MediaWiki XML dump: each <page>...</page>, as it stands there, is one record.
#include <algorithm>

#include "lib/base/format.h"
#include "lib/io/record_format.h"

namespace llmtool {
namespace {

constexpr std::string_view kBegin = "<page>", kEnd = "</page>";

size_t cut_pages(std::string_view bytes, size_t searched) {
  // The end may begin before what was searched.
  const size_t from = searched < kEnd.size() ? 0 : searched - kEnd.size();
  const size_t end = bytes.substr(from).rfind(kEnd);
  return end == bytes.npos ? 0 : from + end + kEnd.size();
}

void parse_pages(std::string_view bytes, const BlockPart& part, DocumentParser&,
                 const RecordTaker& taker) {
  uint64_t line = part.first_line;
  if (line == 1 && bytes.find(kBegin) == bytes.npos) {
    taker.bad(line, "no <page> is in it", "expected a MediaWiki XML dump", bytes);
    return;
  }
  size_t counted = 0;
  for (size_t begin = 0; (begin = bytes.find(kBegin, begin)) != bytes.npos;) {
    for (; counted < begin; ++counted) line += bytes[counted] == '\n';
    // Only up to the next page, so that pages without an end cost no more than others.
    const size_t next = std::min(bytes.find(kBegin, begin + 1), bytes.size());
    const size_t length = bytes.substr(begin, next - begin).find(kEnd);
    if (length == bytes.npos) {
      taker.bad(line, "a <page> without its </page>", "the dump is damaged or truncated",
                bytes.substr(begin, next - begin));
      begin = next;
      continue;
    }
    Document document;
    document.text = bytes.substr(begin, length + kEnd.size());
    document.line_number = line;
    taker.take(document);
    begin += length + kEnd.size();
  }
}

const Register<RecordFormat> mediawiki{{.name = "mediawiki",
                                        .summary = "a MediaWiki XML dump, a document a page",
                                        .endings = {},
                                        .cut = cut_pages,
                                        .parse = parse_pages}};
const Register<Format> listed{{"mediawiki", "", "read", "XML dumps of wikis (--format mediawiki)"}};

}  // namespace
}  // namespace llmtool
