// Web archives, ISO 28500 (WARC 1.0 and 1.1): responses with their HTTP headers, resources, and the
// text records of WET files. Header fields are found by name, in any order and case.
#include <charconv>
#include <optional>
#include <zlib.h>

#include "lib/base/error.h"
#include "lib/base/format.h"
#include "lib/io/record_format.h"
#include "lib/text/ascii.h"
#include "lib/text/utf8.h"

namespace llmtool {
namespace {

constexpr std::string_view kMagic = "WARC/1.";
constexpr size_t kMostHeaderBytes = size_t{64} << 10;
// A compressed body may grow to so many times its size, or so many bytes if that is more: what is
// alive of a block of records stays bounded.
constexpr size_t kMostGrowth = 100;
constexpr size_t kMostSmallBody = size_t{64} << 10;

bool equal_names(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (ascii_lower(a[i]) != ascii_lower(b[i])) return false;
  }
  return true;
}

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t' || s.back() == '\r'))
    s.remove_suffix(1);
  return s;
}

// The value of a header field, empty if it is not there. header: lines after the first.
std::string_view field(std::string_view header, std::string_view name) {
  for (size_t begin = 0; begin < header.size();) {
    const size_t end = std::min(header.find('\n', begin), header.size());
    const std::string_view line = header.substr(begin, end - begin);
    begin = end + 1;
    const size_t colon = line.find(':');
    if (colon != line.npos && equal_names(trimmed(line.substr(0, colon)), name)) {
      return trimmed(line.substr(colon + 1));
    }
  }
  return {};
}

std::optional<uint64_t> as_number(std::string_view s, int base = 10) {
  uint64_t n = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), n, base);
  return error == std::errc() && end != s.data() ? std::optional(n) : std::nullopt;
}

// The end of a header block: behind the empty line, or npos.
size_t header_end(std::string_view bytes) {
  const size_t crlf = bytes.find("\r\n\r\n");
  const size_t lf = bytes.find("\n\n");
  if (crlf == bytes.npos && lf == bytes.npos) return bytes.npos;
  return crlf < lf ? crlf + 4 : lf + 2;
}

struct Record {
  std::string_view header, content;
  size_t end = 0;  // behind the empty lines that follow it
};

enum class Found { kRecord, kIncomplete, kDamaged };

// The header ends behind an empty line; one with the line of another record in it is none.
Found find_header(std::string_view rest, size_t& end) {
  for (size_t begin = 0;; begin = end) {
    const size_t newline = rest.substr(0, kMostHeaderBytes).find('\n', begin);
    if (newline == rest.npos) {
      return rest.size() < kMostHeaderBytes ? Found::kIncomplete : Found::kDamaged;
    }
    end = newline + 1;
    const std::string_view line = rest.substr(begin, newline - begin);
    if (line.empty() || line == "\r") return Found::kRecord;
    if (begin > 0 && line.starts_with(kMagic)) return Found::kDamaged;
  }
}

bool is_line_end(char c) {
  return c == '\r' || c == '\n';
}

// Of the record that begins at `begin`; where the length is wrong, the next record begins inside.
Found find_record(std::string_view bytes, size_t begin, Record& record) {
  const std::string_view rest = bytes.substr(begin);
  size_t body = 0;
  const Found header = find_header(rest, body);
  if (header != Found::kRecord) return header;
  record.header = rest.substr(0, body);
  const auto length = as_number(field(record.header, "Content-Length"));
  if (!rest.starts_with(kMagic) || !length) return Found::kDamaged;
  if (*length > rest.size() - body) return Found::kIncomplete;
  record.content = rest.substr(body, *length);
  size_t end = body + *length;
  size_t newlines = 0;
  while (end < rest.size() && newlines < 2 && is_line_end(rest[end]))
    newlines += rest[end++] == '\n';
  if (end < rest.size() && newlines < 2) return Found::kDamaged;
  if (newlines < 2) return Found::kIncomplete;
  record.end = begin + end;
  return Found::kRecord;
}

// Where a record may begin behind a damaged one: at a line with the magic.
size_t next_magic(std::string_view bytes, size_t from) {
  while ((from = bytes.find(kMagic, from)) != bytes.npos) {
    if (from == 0 || bytes[from - 1] == '\n') return from;
    ++from;
  }
  return bytes.npos;
}

size_t cut_records(std::string_view bytes, size_t) {
  size_t end = 0;
  for (Record record; end < bytes.size();) {
    const Found found = find_record(bytes, end, record);
    if (found == Found::kIncomplete) break;
    if (found == Found::kRecord) {
      end = record.end;
      continue;
    }
    const size_t next = next_magic(bytes, end + 1);
    if (next == bytes.npos) break;
    end = next;
  }
  return end;
}

struct Body {
  std::string text;
  bool whole = false;  // it did not end too early
};

Body without_chunks(std::string_view body) {
  std::string whole;
  for (std::string_view rest = body; !rest.empty();) {
    const auto size = as_number(rest, 16);
    const size_t line = rest.find('\n');
    const bool is_chunk = size && line != rest.npos;
    const bool is_cut = is_chunk && *size > rest.size() - line - 1;
    // Some crawlers keep the header of a body that they put together again.
    if ((!is_chunk || is_cut) && whole.empty()) return {.text = std::string(body), .whole = true};
    if (is_chunk && *size == 0) return {.text = std::move(whole), .whole = true};
    if (!is_chunk || is_cut) {
      whole += is_chunk ? rest.substr(line + 1) : rest;
      break;
    }
    whole += rest.substr(line + 1, *size);
    rest.remove_prefix(line + 1 + *size);
    while (!rest.empty() && is_line_end(rest.front())) rest.remove_prefix(1);
  }
  return {.text = std::move(whole), .whole = false};
}

size_t most_inflated(const std::string& body) {
  return std::max(kMostSmallBody, kMostGrowth * body.size());
}

// What can be read, a bit more than most_inflated() at most. window_bits: the format, as
// inflateInit2() has it.
Body inflated(const std::string& body, int window_bits) {
  z_stream z{};
  if (inflateInit2(&z, window_bits) != Z_OK) throw std::bad_alloc();
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  z.avail_in = static_cast<uInt>(body.size());
  std::string text;
  char buffer[1 << 15];
  int result = Z_OK;
  while (result == Z_OK && text.size() <= most_inflated(body)) {
    z.next_out = reinterpret_cast<Bytef*>(buffer);
    z.avail_out = sizeof buffer;
    result = inflate(&z, Z_NO_FLUSH);
    text.append(buffer, sizeof buffer - z.avail_out);
    if (z.avail_out > 0 && z.avail_in == 0) break;
  }
  inflateEnd(&z);
  return {.text = std::move(text), .whole = result == Z_STREAM_END};
}

// A gzip or zlib body, as far as it can be read. Some servers send "deflate" without the header of
// zlib (RFC 9110, 8.4.1.2): that is taken if it can be read to its end. The body itself if it is
// none of these.
Body decompressed(const std::string& body, bool may_be_raw) {
  constexpr int kGzipOrZlib = MAX_WBITS + 32, kRaw = -MAX_WBITS;
  Body found = inflated(body, kGzipOrZlib);
  if (found.text.empty() && may_be_raw) {
    found = inflated(body, kRaw);
    if (!found.whole && found.text.size() <= most_inflated(body)) found.text.clear();
  }
  if (found.text.empty()) return {.text = body, .whole = true};
  return found;
}

std::string_view charset_of(std::string_view content_type) {
  for (size_t at = 0; (at = content_type.find('=', at)) != content_type.npos; ++at) {
    const std::string_view before = content_type.substr(0, at);
    if (before.size() < 7 || !equal_names(before.substr(before.size() - 7), "charset")) continue;
    std::string_view value = trimmed(content_type.substr(at + 1));
    value = value.substr(0, value.find_first_of(";, "));
    while (!value.empty() && (value.front() == '"' || value.front() == '\''))
      value.remove_prefix(1);
    while (!value.empty() && (value.back() == '"' || value.back() == '\'')) value.remove_suffix(1);
    return value;
  }
  return {};
}

void add_metadata(Document& document, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  document.metadata.push_back({std::string(name), json_text(with_valid_utf8(value))});
}

// The body of an HTTP response, with what its header says of it; or why it cannot be had. A body
// that ends too early is kept and named (metadata.truncated), as what the crawler itself cut and
// says so of: `truncated`.
std::string take_response(Document& document, std::string_view content,
                          std::string_view truncated) {
  const size_t body = header_end(content.substr(0, kMostHeaderBytes));
  if (!content.starts_with("HTTP/") || body == content.npos) {
    document.text = content;
    return {};
  }
  const std::string_view header = content.substr(0, body);
  const std::string_view first = header.substr(0, header.find('\n'));
  const size_t space = first.find(' ');
  const auto status = space == first.npos ? std::nullopt : as_number(first.substr(space + 1));
  if (status) document.metadata.push_back({"http_status", concat(*status)});
  const std::string_view type = field(header, "Content-Type");
  add_metadata(document, "content_type", trimmed(type.substr(0, type.find(';'))));
  add_metadata(document, "charset", charset_of(type));
  document.text = content.substr(body);
  std::string_view cut;
  if (equal_names(field(header, "Transfer-Encoding"), "chunked")) {
    Body joined = without_chunks(document.text);
    if (!joined.whole) cut = "chunked";
    document.text = std::move(joined.text);
  }
  const std::string_view coding = field(header, "Content-Encoding");
  const bool is_deflate = equal_names(coding, "deflate");
  if (is_deflate || equal_names(coding, "gzip") || equal_names(coding, "x-gzip")) {
    const size_t most = most_inflated(document.text);
    Body plain = decompressed(document.text, is_deflate);
    if (!plain.whole) cut = coding;
    document.text = std::move(plain.text);
    if (document.text.size() > most)
      return concat("a compressed body of more than ", most, " bytes");
  } else if (!coding.empty() && !equal_names(coding, "identity")) {
    return concat("the body is compressed by '", with_valid_utf8(coding), "'");
  }
  if (truncated.empty()) add_metadata(document, "truncated", cut);
  return {};
}

std::string_view record_id(std::string_view id) {
  if (id.starts_with("<")) id.remove_prefix(1);
  if (id.ends_with(">")) id.remove_suffix(1);
  if (id.starts_with("urn:uuid:")) id.remove_prefix(9);
  return id;
}

void take_record(const Record& record, uint64_t line, const RecordTaker& taker) {
  const std::string_view type = field(record.header, "WARC-Type");
  const bool is_response = equal_names(type, "response");
  if (!is_response && !equal_names(type, "resource") && !equal_names(type, "conversion")) return;
  Document document;
  document.line_number = line;
  document.id = with_valid_utf8(record_id(field(record.header, "WARC-Record-ID")));
  std::string_view url = field(record.header, "WARC-Target-URI");
  if (url.starts_with("<") && url.ends_with(">")) url = url.substr(1, url.size() - 2);
  add_metadata(document, "url", url);
  add_metadata(document, "date", field(record.header, "WARC-Date"));
  add_metadata(document, "languages", field(record.header, "WARC-Identified-Content-Language"));
  const std::string_view truncated = field(record.header, "WARC-Truncated");
  add_metadata(document, "truncated", truncated);
  if (is_response) {
    std::string reason = take_response(document, record.content, truncated);
    if (!reason.empty()) {
      return taker.bad(line, std::move(reason), "expected gzip, deflate or none", record.header);
    }
  } else {
    const std::string_view content_type = field(record.header, "Content-Type");
    add_metadata(document, "content_type", trimmed(content_type.substr(0, content_type.find(';'))));
    add_metadata(document, "charset", charset_of(content_type));
    document.text = record.content;
  }
  taker.take(document);
}

void parse_warc(std::string_view bytes, const BlockPart& part, DocumentParser&,
                const RecordTaker& taker) {
  uint64_t line = part.first_line;
  const auto pass = [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) line += bytes[i] == '\n';
  };
  for (size_t at = 0; at < bytes.size();) {
    if (is_line_end(bytes[at])) {
      line += bytes[at++] == '\n';
      continue;
    }
    Record record;
    const Found found = find_record(bytes, at, record);
    size_t end = record.end;
    if (found == Found::kRecord) {
      take_record(record, line, taker);
    } else {
      end = std::min(next_magic(bytes, at + 1), bytes.size());
      taker.bad(line,
                found == Found::kIncomplete ? "the WARC record is truncated"
                                            : "no WARC record, expected 'WARC/1.x' and a "
                                              "Content-Length that fits",
                "is this a WARC file, and whole?", bytes.substr(at, end - at));
    }
    pass(at, end);
    at = end;
  }
}

const Register<RecordFormat> warc{{.name = "warc",
                                   .summary = "web archives: WARC and WET, a document a record",
                                   .endings = {".warc", ".wet"},
                                   .cut = cut_records,
                                   .parse = parse_warc}};
const Register<Format> listed{{"warc", ".warc, .wet", "read",
                               "web archives (ISO 28500): a document a response or text record"}};

}  // namespace
}  // namespace llmtool
