#include "lib/io/json_numbers.h"

#include <algorithm>
#include <charconv>

#include "lib/io/json_members.h"

namespace llmtool {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The length of the number that json begins with (RFC 8259, 6); 0 if it is none.
size_t number_length(std::string_view json) {
  size_t at = json.starts_with('-') ? 1 : 0;
  const auto digits = [&] {
    const size_t begin = at;
    while (at < json.size() && is_digit(json[at])) ++at;
    return at - begin;
  };
  const auto is = [&](char c) { return at < json.size() && json[at] == c; };
  const bool zero = is('0');
  const size_t whole = digits();
  if (whole == 0 || (zero && whole > 1)) return 0;
  if (is('.')) {
    ++at;
    if (digits() == 0) return 0;
  }
  if (is('e') || is('E')) {
    ++at;
    if (is('+') || is('-')) ++at;
    if (digits() == 0) return 0;
  }
  return at;
}

bool is_large(std::string_view number) {
  const char* const end = number.data() + number.size();
  const auto fits = [&](auto value) {
    const auto [stop, error] = std::from_chars(number.data(), end, value);
    return error == std::errc() && stop == end;
  };
  if (number.find_first_of(".eE") != number.npos) return !fits(0.0);
  return number.starts_with('-') ? !fits(int64_t{0}) : !fits(uint64_t{0});
}

}  // namespace

std::string with_large_numbers_as_strings(std::string_view json) {
  std::string out;
  out.reserve(json.size() + 64);
  for (size_t at = 0; at < json.size();) {
    const char c = json[at];
    size_t length = 1;
    bool quoted = false;
    if (c == '"') {
      length = json_string_end(json, at) - at;
    } else if (c == '-' || is_digit(c)) {
      const size_t number = number_length(json.substr(at));
      quoted = number > 0 && is_large(json.substr(at, number));
      length = std::max<size_t>(number, 1);
    }
    if (quoted) out.push_back('"');
    out.append(json.substr(at, length));
    if (quoted) out.push_back('"');
    at += length;
  }
  return out;
}

simdjson::simdjson_result<simdjson::dom::element> parse_json(simdjson::dom::parser& parser,
                                                             std::string_view json, bool* changed) {
  auto result = parser.parse(json.data(), json.size());
  if (result.error() != simdjson::NUMBER_ERROR) return result;
  if (changed != nullptr) *changed = true;
  const std::string mended = with_large_numbers_as_strings(json);
  return parser.parse(mended.data(), mended.size());
}

}  // namespace llmtool
