#include "lib/infer/candidates.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "lib/base/error.h"

namespace llmtool {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr int64_t kFirstSort = 64;  // then twice as many each time

[[noreturn]] void fail_logit(size_t id, float logit) {
  fail(Fault::kInput,
       concat("the model's logit of token ", id, " is ", std::isnan(logit) ? "NaN" : "infinite"),
       "the weights are damaged, or their training diverged");
}

}  // namespace

void Candidates::reset(std::span<const float> logits) {
  bool any = false;
  for (size_t id = 0; id < logits.size(); ++id) {
    if (!(logits[id] < kInfinity)) fail_logit(id, logits[id]);
    any = any || logits[id] > -kInfinity;
  }
  check(any, Fault::kInput, "no token can come next: all ", logits.size(),
        " logits of the model are -infinity");
  logits_.assign(logits.begin(), logits.end());
  count_ = static_cast<int64_t>(logits.size());
  sorted_ = 0;
  largest_ = -1;
  temperature_ = 1;
}

void Candidates::keep(int64_t n) {
  count_ = std::clamp<int64_t>(n, 1, count_);
}

void Candidates::find_largest() {
  largest_ = static_cast<int32_t>(std::ranges::max_element(logits_) - logits_.begin());
}

void Candidates::sort_to(int64_t n) {
  if (order_.size() != logits_.size()) order_.resize(logits_.size());
  if (sorted_ == 0) std::iota(order_.begin(), order_.end(), 0);
  const int64_t wanted =
      std::min(std::max({n, 2 * sorted_, kFirstSort}), static_cast<int64_t>(order_.size()));
  std::partial_sort(order_.begin() + sorted_, order_.begin() + wanted, order_.end(),
                    [&](int32_t a, int32_t b) {
                      const float x = logit(a), y = logit(b);
                      return x != y ? x > y : a < b;
                    });
  sorted_ = wanted;
}

int32_t Candidates::at(int64_t rank) {
  LLMTOOL_ASSERT(rank < count_);
  if (rank == 0 && sorted_ == 0) {
    if (largest_ < 0) find_largest();
    return largest_;
  }
  if (rank >= sorted_) sort_to(rank + 1);
  return order_[static_cast<size_t>(rank)];
}

double Candidates::weight(int32_t id) {
  if (largest_ < 0) find_largest();
  const double below = static_cast<double>(logit(id)) - static_cast<double>(logit(largest_));
  return std::exp(below / temperature_);
}

double Candidates::weight_sum() {
  double sum = 0;
  for_each([&](int32_t id) {
    sum += weight(id);
    return false;
  });
  return sum;
}

}  // namespace llmtool
