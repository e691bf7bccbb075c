#include "lib/base/rng.h"

#include <cmath>
#include <doctest/doctest.h>
#include <set>

using namespace llmtool;

// Known answers of Random123 1.09 (kat_vectors, philox4x32 10).
TEST_CASE("philox4x32: known answers") {
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) ==
        std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        std::array<uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        std::array<uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("rng: uniform and normal numbers have their moments") {
  const Rng rng(7, stream_id("moments"));
  constexpr int kCount = 200000;
  double u1 = 0, u2 = 0, n1 = 0, n2 = 0, n4 = 0;
  for (int i = 0; i < kCount; ++i) {
    const double u = rng.uniform(static_cast<uint64_t>(i));
    const double n = rng.normal(static_cast<uint64_t>(i));
    REQUIRE((u >= 0 && u < 1));
    u1 += u;
    u2 += u * u;
    n1 += n;
    n2 += n * n;
    n4 += n * n * n * n;
  }
  // Five standard errors of each mean.
  const double e = 5 / std::sqrt(double{kCount});
  CHECK(std::abs(u1 / kCount - 0.5) < e * 0.2887);
  CHECK(std::abs(u2 / kCount - 1.0 / 3) < e * 0.2981);
  CHECK(std::abs(n1 / kCount) < e);
  CHECK(std::abs(n2 / kCount - 1) < e * 1.4142);
  CHECK(std::abs(n4 / kCount - 3) < e * 9.798);
}

TEST_CASE("rng: a number depends on seed, stream and index only") {
  const Rng a(1, 2);
  const uint64_t late = a.bits(1000), early = a.bits(3);
  CHECK(Rng(1, 2).bits(3) == early);
  CHECK(Rng(1, 2).bits(1000) == late);
  std::set<uint64_t> different;
  for (uint64_t seed = 0; seed < 10; ++seed) {
    for (uint64_t stream = 0; stream < 10; ++stream) {
      for (uint64_t i = 0; i < 10; ++i) different.insert(Rng(seed, stream).bits(i));
    }
  }
  CHECK(different.size() == 1000);
  CHECK(stream_id("shuffle") != stream_id("dropout"));
}

TEST_CASE("rng: below() is uniform, bounds of any size") {
  const Rng rng(3);
  int counts[7] = {};
  for (uint64_t i = 0; i < 70000; ++i) ++counts[rng.below(i, 7)];
  for (const int count : counts) CHECK(std::abs(count - 10000) < 5 * 93);
  for (uint64_t i = 0; i < 100; ++i) CHECK(rng.below(i, 1) == 0);
  CHECK(rng.below(0, ~uint64_t{0}) < ~uint64_t{0});
}
