#include "lib/io/json_depth.h"

#include <doctest/doctest.h>
#include <string>

using namespace llmtool;

TEST_CASE("json_depth: levels are counted, not brackets, and none in a string") {
  const auto nested = [](int levels) {
    return std::string(static_cast<size_t>(levels), '[') +
           std::string(static_cast<size_t>(levels), ']');
  };
  CHECK(!nests_too_deeply(nested(kMostJsonDepth)));
  CHECK(nests_too_deeply(nested(kMostJsonDepth + 1)));
  CHECK(nests_too_deeply(nested(100'000)));
  std::string wide = "[";
  for (int i = 0; i < 1000; ++i) wide += "{},[],";
  CHECK(!nests_too_deeply(wide + "0]"));
  CHECK(!nests_too_deeply("\"\\\"" + nested(100) + "\""));
  CHECK(nests_too_deeply("[\"\\\\\"," + nested(100) + "]"));
}
