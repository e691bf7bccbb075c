#include "lib/io/json_members.h"

namespace llmtool {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// Behind the value that begins at `at`.
size_t value_end(std::string_view json, size_t at) {
  size_t depth = 0;
  while (at < json.size()) {
    const char c = json[at];
    if (c == '"') {
      at = json_string_end(json, at);
      if (depth == 0) return at;
      continue;
    }
    if (depth == 0 && (c == ',' || c == '}' || c == ']')) return at;
    depth += c == '{' || c == '[';
    ++at;
    if ((c == '}' || c == ']') && --depth == 0) return at;
  }
  return at;
}

}  // namespace

size_t json_string_end(std::string_view json, size_t at) {
  for (size_t quote = at + 1; (quote = json.find('"', quote)) != json.npos; ++quote) {
    size_t backslash = quote;
    while (json[backslash - 1] == '\\') --backslash;
    if ((quote - backslash) % 2 == 0) return quote + 1;
  }
  return json.size();
}

void for_each_member(std::string_view object,
                     const std::function<void(std::string_view name, std::string_view value)>& f) {
  size_t at = object.find('{') + 1;
  while ((at = object.find_first_of("\"}", at)) < object.size() && object[at] == '"') {
    const size_t name_end = json_string_end(object, at);
    const std::string_view name = object.substr(at + 1, name_end - at - 2);
    size_t begin = object.find(':', name_end) + 1;
    while (begin < object.size() && is_space(object[begin])) ++begin;
    at = value_end(object, begin);
    std::string_view value = object.substr(begin, at - begin);
    while (!value.empty() && is_space(value.back())) value.remove_suffix(1);
    f(name, value);
  }
}

}  // namespace llmtool
