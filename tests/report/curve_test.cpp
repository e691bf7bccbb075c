#include "lib/report/curve.h"

#include <cmath>
#include <doctest/doctest.h>
#include <limits>

using namespace llmtool;

TEST_CASE("curve: few points stay as they are") {
  Curve curve;
  for (int i = 1; i <= 512; ++i) curve.add(i, 1.0 / i);
  REQUIRE(curve.buckets().size() == 512);
  for (int i = 1; i <= 512; ++i) {
    const Curve::Bucket& b = curve.buckets()[static_cast<size_t>(i - 1)];
    CHECK((b.first_x == i && b.last_x == i && b.mean == 1.0 / i && b.count == 1));
  }
}

TEST_CASE("curve: many points are few buckets that lose no peak and no point") {
  Curve curve;
  constexpr int kPoints = 1'000'003;
  double sum = 0;
  for (int i = 1; i <= kPoints; ++i) {
    const double y = i == 777'777 ? 1e6 : i == 12'345 ? -5 : 1 + i % 2;
    sum += y;
    curve.add(i, y);
  }
  CHECK(curve.buckets().size() <= Curve::kMostBuckets);
  CHECK(curve.buckets().size() > Curve::kMostBuckets / 2 - 1);
  double total = 0, least = 1, greatest = 1, x = 0;
  int64_t count = 0;
  for (const Curve::Bucket& b : curve.buckets()) {
    CHECK(b.first_x == x + 1);
    x = b.last_x;
    count += b.count;
    total += b.mean * static_cast<double>(b.count);
    least = std::fmin(least, b.min);
    greatest = std::fmax(greatest, b.max);
  }
  CHECK(x == kPoints);
  CHECK(count == kPoints);
  CHECK(least == -5);
  CHECK(greatest == 1e6);
  CHECK(total == doctest::Approx(sum));
}

TEST_CASE("curve: what is not finite is left out") {
  Curve curve;
  curve.add(1, std::numeric_limits<double>::quiet_NaN());
  curve.add(2, std::numeric_limits<double>::infinity());
  CHECK(curve.empty());
}
