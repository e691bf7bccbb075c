#include "lib/io/jsonl.h"

#include <array>
#include <bit>
#include <emmintrin.h>

#include "lib/base/error.h"
#include "lib/base/format.h"
#include "lib/io/json_members.h"
#include "lib/io/json_numbers.h"
#include "lib/text/utf8.h"

namespace llmtool {
namespace {

std::string_view name_of(simdjson::dom::element_type type) {
  switch (type) {
    case simdjson::dom::element_type::ARRAY:
      return "an array";
    case simdjson::dom::element_type::OBJECT:
      return "an object";
    case simdjson::dom::element_type::STRING:
      return "a string";
    case simdjson::dom::element_type::BOOL:
      return "true or false";
    case simdjson::dom::element_type::NULL_VALUE:
      return "null";
    default:
      return "a number";
  }
}

std::string explain(simdjson::error_code error, std::string_view line) {
  const size_t bad = first_invalid_utf8(line);
  if (bad != line.npos) return concat("byte ", bad + 1, " of the line is not valid UTF-8");
  if (error == simdjson::STRING_ERROR) {
    return "invalid JSON: a string with an invalid escape or a lone surrogate";
  }
  return concat("invalid JSON: ", simdjson::error_message(error));
}

std::string id_of(const simdjson::dom::element& value) {
  if (value.is_string()) return std::string(std::string_view(value));
  return value.is_number() ? simdjson::minify(value) : "";
}

// Whether the first member of a name is a number as it stands in the line.
bool is_number(std::string_view line, std::string_view member) {
  std::string_view found;
  for_each_member(line, [&](std::string_view name, std::string_view value) {
    if (name == member && found.empty()) found = value;
  });
  return !found.empty() && (found[0] == '-' || (found[0] >= '0' && found[0] <= '9'));
}

}  // namespace

struct DocumentParser::State {
  explicit State(std::string member) : text_member(std::move(member)) {}

  std::string text_member;
  simdjson::dom::parser parser;
};

DocumentParser::DocumentParser(std::string text_member)
    : state_(std::make_unique<State>(std::move(text_member))) {}
DocumentParser::~DocumentParser() = default;
DocumentParser::DocumentParser(DocumentParser&&) noexcept = default;

// The DOM, not simdjson's on-demand reader: that one skips what it is not asked for unchecked.
std::string DocumentParser::parse(std::string_view line, Document& document) {
  simdjson::dom::element root;
  bool changed = false;
  const auto error = parse_json(state_->parser, line, &changed).get(root);
  if (error) return explain(error, line);
  simdjson::dom::object members;
  if (root.get(members)) return concat("is ", name_of(root.type()), ", expected an object");

  document.id.clear();
  document.line = line;
  document.text_member = state_->text_member;
  bool found = false;
  for (const auto& [key, value] : members) {
    if (key == "id" && document.id.empty()) document.id = id_of(value);
    if (key != state_->text_member || found) continue;
    std::string_view text;
    const bool is_large = changed && is_number(line, key);
    if (is_large || value.get(text)) {
      return concat("\"", key, "\" is ", is_large ? "a number" : name_of(value.type()),
                    ", expected a string");
    }
    document.text.assign(text);
    found = true;
  }
  return found ? "" : concat("has no member \"", state_->text_member, "\"");
}

// What stands behind the backslash; 0: nothing to escape; 'u': the code in hexadecimal digits.
constexpr std::array<char, 256> kEscapes = [] {
  std::array<char, 256> escapes{};
  for (size_t c = 0; c < 0x20; ++c) escapes[c] = 'u';
  escapes['\n'] = 'n';
  escapes['\r'] = 'r';
  escapes['\t'] = 't';
  escapes['"'] = '"';
  escapes['\\'] = '\\';
  return escapes;
}();

namespace {

constexpr size_t kLane = 16;
constexpr size_t kLongestEscape = 6;  // \u001f

char* put_escaped(char* to, unsigned char byte) {
  constexpr char kHex[] = "0123456789abcdef";
  *to++ = '\\';
  *to++ = kEscapes[byte];
  if (kEscapes[byte] != 'u') return to;
  for (const char digit : {'0', '0', kHex[byte >> 4], kHex[byte & 15]}) *to++ = digit;
  return to;
}

// Whether byte i of 16 has to be escaped, as bit i.
unsigned escapes_of(__m128i bytes) {
  const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
  const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  return static_cast<unsigned>(
      _mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, backslash))));
}

// Returns the end of what it wrote: at most kLongestEscape bytes for each of text, and then a lane.
char* escape(std::string_view text, char* to) {
  size_t at = 0;
  while (at + kLane <= text.size()) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
    const unsigned escapes = escapes_of(bytes);
    const size_t plain = escapes == 0 ? kLane : static_cast<size_t>(std::countr_zero(escapes));
    at += plain;
    to += plain;
    if (escapes != 0) to = put_escaped(to, static_cast<unsigned char>(text[at++]));
  }
  for (const char c : text.substr(at)) {
    const auto byte = static_cast<unsigned char>(c);
    if (kEscapes[byte] == 0)
      *to++ = c;
    else
      to = put_escaped(to, byte);
  }
  return to;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  constexpr size_t kPart = 1024;
  std::array<char, kLongestEscape * kPart + kLane> escaped;
  out.push_back('"');
  for (size_t at = 0; at < text.size(); at += kPart) {
    const char* const end = escape(text.substr(at, kPart), escaped.data());
    out.append(escaped.data(), static_cast<size_t>(end - escaped.data()));
  }
  out.push_back('"');
}

namespace {

const Register<Format> jsonl_format{
    {"jsonl", ".jsonl", "read", "corpora: a document a line, {\"id\", \"text\"}"}};

}  // namespace

}  // namespace llmtool
