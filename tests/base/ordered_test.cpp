#include "lib/base/ordered.h"

#include <atomic>
#include <chrono>
#include <doctest/doctest.h>
#include <string>
#include <thread>

#include "lib/base/error.h"
#include "lib/base/rng.h"

using namespace llmtool;

namespace {

struct Item {
  int number = 0;
  int result = 0;
};

// Squares 0..count-1; some items take longer than others.
std::vector<int> squares(int threads, int count, size_t window, int fail_at = -1) {
  ThreadPool pool(threads);
  int produced = 0;
  std::atomic<int> alive{0};
  std::vector<int> taken;
  run_in_order<Item>(
      pool, window,
      [&](Item& item) {
        if (produced == count) return false;
        item.number = produced++;
        CHECK(++alive <= static_cast<int>(window));
        return true;
      },
      [&](Item& item, int thread) {
        CHECK(thread < threads);
        const Rng rng(5);
        if (rng.uniform(static_cast<uint64_t>(item.number)) < 0.1) {
          std::this_thread::sleep_for(std::chrono::microseconds(200));
        }
        check(item.number < fail_at || fail_at < 0, Fault::kInput, "item ", item.number);
        item.result = item.number * item.number;
      },
      [&](Item& item) {
        taken.push_back(item.result);
        --alive;
      });
  return taken;
}

}  // namespace

TEST_CASE("items come out in the order they went in") {
  std::vector<int> expected;
  for (int i = 0; i < 500; ++i) expected.push_back(i * i);
  for (const int threads : {1, 2, 5}) {
    for (const size_t window : {1, 3, 20}) CHECK(squares(threads, 500, window) == expected);
  }
  CHECK(squares(3, 0, 4).empty());
}

TEST_CASE("the earliest failure comes out, whatever the threads") {
  for (const int threads : {1, 2, 5}) {
    CAPTURE(threads);
    CHECK_THROWS_WITH_AS(squares(threads, 300, 8, 137), "item 137", Error);
  }
}

TEST_CASE("a failure while producing or consuming ends the stream") {
  ThreadPool pool(4);
  const auto work = [](Item&, int) {};
  int n = 0;
  const auto produce = [&](Item&) {
    check(++n < 50, Fault::kIo, "produced ", n);
    return true;
  };
  CHECK_THROWS_WITH_AS(run_in_order<Item>(pool, 6, produce, work, [](Item&) {}), "produced 50",
                       Error);
  n = 0;
  int consumed = 0;
  CHECK_THROWS_WITH_AS(run_in_order<Item>(
                           pool, 6, [&](Item& item) { return (item.number = n++) < 100000; }, work,
                           [&](Item&) { check(++consumed < 30, Fault::kIo, "consumed"); }),
                       "consumed", Error);
  CHECK(consumed == 30);
}
