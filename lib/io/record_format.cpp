#include "lib/io/record_format.h"

#include <algorithm>
#include <filesystem>

#include "lib/base/suggest.h"
#include "lib/io/parquet.h"
#include "lib/text/utf8.h"

namespace llmtool {
namespace {

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == line.npos;
}

void parse_jsonl(std::string_view bytes, const BlockPart& part, DocumentParser& parser,
                 const RecordTaker& taker) {
  Document document;
  for_each_line(bytes, part.first_line, [&](std::string_view line, uint64_t number) {
    std::string reason = parser.parse(line, document);
    document.line_number = number;
    if (reason.empty()) return taker.take(document);
    taker.bad(number, std::move(reason),
              "mend the line, or count such lines and go on without them (--skip-bad)", line);
  });
}

// A document whose path is its name: below the folder that was given, or as it was given.
Document file_document(std::string_view bytes, const BlockPart& part) {
  Document document;
  document.text = bytes;
  document.line_number = part.first_line;
  if (part.is_file) {
    document.id = with_valid_utf8(part.path);
    document.metadata.push_back({"path", json_text(with_valid_utf8(part.path))});
    if (!part.tree.empty())
      document.metadata.push_back({"tree", json_text(with_valid_utf8(part.tree))});
  }
  return document;
}

void parse_text(std::string_view bytes, const BlockPart& part, DocumentParser&,
                const RecordTaker& taker) {
  const size_t invalid = first_invalid_utf8(bytes);
  if (invalid == std::string::npos) {
    Document document = file_document(bytes, part);
    return taker.take(document);
  }
  const auto before = bytes.substr(0, invalid);
  const auto line =
      part.first_line + static_cast<uint64_t>(std::count(before.begin(), before.end(), '\n'));
  taker.bad(line, "the text is not valid UTF-8", "convert it, e.g. with `iconv -f latin1 -t utf-8`",
            bytes);
}

void parse_raw(std::string_view bytes, const BlockPart& part, DocumentParser&,
               const RecordTaker& taker) {
  Document document = file_document(bytes, part);
  taker.take(document);
}

void parse_lines(std::string_view bytes, const BlockPart& part, DocumentParser&,
                 const RecordTaker& taker) {
  for_each_line(bytes, part.first_line, [&](std::string_view line, uint64_t number) {
    Document document;
    document.text = line;
    document.line_number = number;
    taker.take(document);
  });
}

}  // namespace

const RecordFormat* record_format(std::string_view name) {
  if (name == "auto") return nullptr;
  return &Catalog<RecordFormat>::find("input format", name);
}

const RecordFormat* record_format_of_file(std::string_view path) {
  std::filesystem::path name(path);
  if (name.extension() == ".gz" || name.extension() == ".zst") name.replace_extension();
  const std::string ending = name.extension().string();
  for (const RecordFormat& format : Catalog<RecordFormat>::all()) {
    if (std::ranges::find(format.endings, ending) != format.endings.end()) {
      return &format;
    }
  }
  return nullptr;
}

size_t cut_lines(std::string_view bytes, size_t searched) {
  const size_t newline = bytes.substr(searched).rfind('\n');
  return newline == bytes.npos ? 0 : searched + newline + 1;
}

void for_each_line(std::string_view bytes, uint64_t first_line,
                   const std::function<void(std::string_view, uint64_t)>& f) {
  uint64_t number = first_line;
  for (size_t begin = 0; begin < bytes.size(); ++number) {
    const size_t end = std::min(bytes.find('\n', begin), bytes.size());
    const std::string_view line = bytes.substr(begin, end - begin);
    begin = end + 1;
    if (!is_blank(line)) f(line, number);
  }
}

namespace {

const Register<RecordFormat> jsonl{{.name = "jsonl",
                                    .summary = "a JSON object a line",
                                    .endings = {".jsonl", ".json", ".ndjson"},
                                    .by_lines = true,
                                    .cut = cut_lines,
                                    .parse = parse_jsonl}};
const Register<RecordFormat> parquet{{.name = "parquet",
                                      .summary = "a document a row of Apache Parquet",
                                      .endings = {".parquet"},
                                      .cut = cut_lines,
                                      .parse = parse_jsonl,
                                      .open = open_parquet,
                                      .require = require_parquet}};
const Register<RecordFormat> text{{.name = "text",
                                   .summary = "a document a file, in UTF-8",
                                   .endings = {".txt", ".text"},
                                   .whole_file = true,
                                   .parse = parse_text}};
const Register<RecordFormat> raw{
    {.name = "raw",
     .summary = "a document a file, its bytes as they are (for extract)",
     .endings = {".html", ".htm", ".xhtml", ".tex"},
     .whole_file = true,
     .parse = parse_raw}};
const Register<RecordFormat> lines{{.name = "lines",
                                    .summary = "a document a line, as it is (for extract)",
                                    .endings = {},
                                    .by_lines = true,
                                    .cut = cut_lines,
                                    .parse = parse_lines}};

}  // namespace
}  // namespace llmtool
