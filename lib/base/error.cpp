#include "lib/base/error.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace llmtool {
namespace {

template <class T>
void append_number(std::string& s, T v) {
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, v).ptr;
  s.append(buffer, end);
}

}  // namespace

namespace detail {
void append(std::string& s, std::string_view v) {
  s.append(v);
}
void append(std::string& s, const char* v) {
  s.append(v);
}
void append(std::string& s, char v) {
  s.push_back(v);
}
void append(std::string& s, bool v) {
  s.append(v ? "true" : "false");
}
void append(std::string& s, double v) {
  append_number(s, std::isnan(v) ? std::abs(v) : v);  // the sign of a NaN says nothing
}
void append(std::string& s, long long v) {
  append_number(s, v);
}
void append(std::string& s, unsigned long long v) {
  append_number(s, v);
}
}  // namespace detail

void fail(Fault fault, std::string message, std::string hint) {
  throw Error(fault, std::move(message), std::move(hint));
}

void assertion_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "llmtool: bug: %s:%d: %s does not hold\n", file, line, condition);
  std::abort();
}

}  // namespace llmtool
