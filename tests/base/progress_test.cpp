#include "lib/base/progress.h"

#include <doctest/doctest.h>

using namespace llmtool;

TEST_CASE("progress: amounts for people have three digits") {
  CHECK(human_bytes(0) == "0 B");
  CHECK(human_bytes(999) == "999 B");
  CHECK(human_bytes(1000) == "1.00 kB");
  CHECK(human_bytes(1530000) == "1.53 MB");
  CHECK(human_bytes(999999) == "1.00 MB");
  CHECK(human_count(12) == "12");
  CHECK(human_count(12400) == "12.4k");
  CHECK(human_count(123456789) == "123M");
  CHECK(human_count(0.5) == "0.50");
  CHECK(human_bytes(5e18) == "5000 PB");
}

TEST_CASE("progress: times for people") {
  CHECK(human_seconds(0.04) == "0.0 s");
  CHECK(human_seconds(9.94) == "9.9 s");
  CHECK(human_seconds(9.96) == "10 s");
  CHECK(human_seconds(59.7) == "1 min 0 s");
  CHECK(human_seconds(200) == "3 min 20 s");
  CHECK(human_seconds(3600) == "1 h 0 min");
  CHECK(human_seconds(90000) == "1 d 1 h");
}
