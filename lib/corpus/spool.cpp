#include "lib/corpus/spool.h"

#include <charconv>

#include "lib/base/error.h"

namespace llmtool {
namespace {

void parse_spooled(std::string_view bytes, const BlockPart& part, DocumentParser& parser,
                   const RecordTaker& taker) {
  for_each_line(bytes, part.first_line, [&](std::string_view line, uint64_t) {
    const size_t path_end = line.find('\t');
    const size_t number_end = line.find('\t', path_end + 1);
    LLMTOOL_ASSERT(path_end != line.npos && number_end != line.npos);
    Document document;
    document.path = line.substr(0, path_end);
    std::from_chars(line.data() + path_end + 1, line.data() + number_end, document.line_number);
    std::string reason = parser.parse(line.substr(number_end + 1), document);
    if (reason.empty()) return taker.take(document);
    taker.bad(document.line_number, std::move(reason), "the work folder was changed", line);
  });
}

const RecordFormat kSpool{.name = "spool",
                          .summary = "documents between two passes",
                          .endings = {},
                          .by_lines = true,
                          .cut = cut_lines,
                          .parse = parse_spooled};

}  // namespace

void append_spooled(std::string& out, const Document& document) {
  for (const char c : document.path) out.push_back(c == '\t' || c == '\n' ? ' ' : c);
  out += concat("\t", document.line_number, "\t");
  append_document(out, document);
}

const RecordFormat& spool_format() {
  return kSpool;
}

}  // namespace llmtool
