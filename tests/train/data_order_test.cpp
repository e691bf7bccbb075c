#include "lib/train/data_order.h"

#include <doctest/doctest.h>
#include <set>

#include "lib/base/error.h"

using namespace llmtool;

TEST_CASE("data order: every epoch sees each of its windows once, in another order") {
  constexpr int64_t kTokens = 1003, kContext = 10;
  DataOrder order(kTokens, kContext, 7);
  const int64_t W = order.windows_per_epoch();
  CHECK(W == 100);
  std::vector<int64_t> first, second;
  for (int64_t s = 0; s < W; ++s) first.push_back(order.window_begin(s));
  CHECK(std::set<int64_t>(first.begin(), first.end()).size() == static_cast<size_t>(W));
  CHECK(order.epoch_of(W - 1) == 0);
  CHECK(order.epoch_of(W) == 1);
  int64_t s = W;
  for (; order.epoch_of(s) == 1; ++s) second.push_back(order.window_begin(s));
  const std::set<int64_t> distinct(second.begin(), second.end());
  CHECK(distinct.size() == second.size());
  CHECK(static_cast<int64_t>(second.size()) >= W - 1);
  CHECK(first != second);
  for (const int64_t begin : distinct) {
    CHECK(begin >= 0);
    CHECK(begin + kContext + 1 <= kTokens);
  }
}

TEST_CASE("data order: any sample can be asked first, another seed gives another order") {
  DataOrder forward(5000, 16, 1), jump(5000, 16, 1), other(5000, 16, 2);
  std::vector<int64_t> a, b;
  for (int64_t s = 0; s < 1000; ++s) {
    a.push_back(forward.window_begin(s));
    b.push_back(other.window_begin(s));
  }
  for (const int64_t s : {999, 3, 640, 0}) {
    CHECK(jump.window_begin(s) == a[static_cast<size_t>(s)]);
  }
  CHECK(a != b);
}

TEST_CASE("data order: a context longer than the data is the user's error") {
  CHECK_THROWS_WITH_AS(DataOrder(100, 100, 0),
                       doctest::Contains("has 100 tokens, a window of --seq-len 100 needs 101"),
                       Error);
  CHECK(DataOrder(101, 100, 0).windows_per_epoch() == 1);
}
