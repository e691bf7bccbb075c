#include "lib/base/formatted.h"

#include <doctest/doctest.h>

using namespace llmtool;

TEST_CASE("formatted: the whole text, however long") {
  CHECK(formatted("%s", "").empty());
  CHECK(formatted("%d of %.2f%%", 3, 1.5) == "3 of 1.50%");
  const std::string large(5000, 'x');
  CHECK(formatted("<%s>", large.c_str()) == "<" + large + ">");
  CHECK(formatted("%.0f", 1e300).size() == 301);
}
