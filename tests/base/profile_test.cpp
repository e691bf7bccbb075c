#include "lib/base/profile.h"

#include <doctest/doctest.h>
#include <thread>

using namespace llmtool;

namespace {

void wait() {
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
}

}  // namespace

TEST_CASE("a profile adds calls, costs and time up by operation") {
  Profile profile;
  for (int i = 0; i < 3; ++i) {
    const Profile::Scope scope(profile, "norm", {.flops = 10, .read = 4, .written = 2});
    wait();
  }
  REQUIRE(profile.entries().size() == 1);
  const Profile::Entry& e = profile.entries()[0];
  CHECK(e.name == "norm");
  CHECK(e.parent == -1);
  CHECK(e.calls == 3);
  CHECK(e.cost.flops == 30);
  CHECK(e.cost.read == 12);
  CHECK(e.cost.written == 6);
  CHECK(e.seconds >= 6e-3);
  CHECK(profile.seconds() == e.seconds);
}

TEST_CASE("an operation inside another is below it, and its time is counted once") {
  Profile profile;
  {
    const Profile::Scope head(profile, "head", {.flops = 100, .unit = DType::kBF16});
    const Profile::Scope product(profile, "linear", {.flops = 90, .unit = DType::kBF16});
    wait();
  }
  { const Profile::Scope product(profile, "linear", {.flops = 7, .unit = DType::kBF16}); }
  { const Profile::Scope product(profile, "linear", {.flops = 8, .unit = DType::kF32}); }
  const auto& e = profile.entries();
  REQUIRE(e.size() == 4);
  CHECK(e[0].parent == -1);
  CHECK(e[1].parent == 0);
  CHECK(e[1].seconds <= e[0].seconds);
  CHECK(e[2].parent == -1);
  CHECK(e[2].cost.flops == 7);
  CHECK(e[3].cost.unit == DType::kF32);
  CHECK(profile.seconds() == doctest::Approx(e[0].seconds + e[2].seconds + e[3].seconds));
}

TEST_CASE("an operation that calls itself is one call") {
  Profile profile;
  {
    const Profile::Scope amx(profile, "linear", {.flops = 5});
    const Profile::Scope passed_down(profile, "linear", {.flops = 5});
    const Profile::Scope inner(profile, "convert", {});
  }
  const auto& e = profile.entries();
  REQUIRE(e.size() == 2);
  CHECK(e[0].calls == 1);
  CHECK(e[0].cost.flops == 5);
  CHECK(e[1].parent == 0);
}
