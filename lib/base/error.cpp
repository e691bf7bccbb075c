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
// The shortest digits that give v back; thresholds and counts without an exponent, which is shorter
// for 100000.
void append(std::string& s, double v) {
  if (std::isnan(v)) v = std::abs(v);  // the sign of a NaN says nothing
  const double size = std::abs(v);
  if (size < 1e-4 || !(size < 1e15)) return append_number(s, v);
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, v, std::chars_format::fixed).ptr;
  s.append(buffer, end);
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
