#include "lib/train/schedule.h"

#include <doctest/doctest.h>

using namespace llmtool;

TEST_CASE("learning rate: warm-up from 0, half a cosine to the ratio that is left") {
  const Schedule& cosine = Catalog<Schedule>::find("schedule", "cosine");
  const auto lr = [&](int64_t step) { return learning_rate(cosine, 2.0, 0.1, 10, 110, step); };
  CHECK(lr(1) == doctest::Approx(0.2));
  CHECK(lr(10) == doctest::Approx(2.0));
  CHECK(lr(60) == doctest::Approx(2.0 * 0.55));  // half-way: the middle of 1 and 0.1
  CHECK(lr(110) == doctest::Approx(0.2));
  const Schedule& linear = Catalog<Schedule>::find("schedule", "linear");
  CHECK(learning_rate(linear, 1.0, 0.0, 0, 100, 25) == doctest::Approx(0.75));
  const Schedule& constant = Catalog<Schedule>::find("schedule", "constant");
  CHECK(learning_rate(constant, 1.0, 0.1, 0, 100, 100) == doctest::Approx(1.0));
  CHECK_THROWS_AS(Catalog<Schedule>::find("schedule", "cosin"), Error);
}
