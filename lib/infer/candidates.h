// The tokens that may come next: the first count() of all, in the order of falling logits (of equal
// ones the lowest id first). Sorted only as far as somebody asks.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace llmtool {

class Candidates {
 public:
  // All tokens of a row of logits, at temperature 1. Throws Fault::kInput for a NaN, for +infinity,
  // and if all are -infinity.
  void reset(std::span<const float> logits);

  // Before anything below has been asked.
  void change_logit(int32_t id, float logit) { logits_[static_cast<size_t>(id)] = logit; }
  float logit(int32_t id) const { return logits_[static_cast<size_t>(id)]; }
  void set_temperature(double temperature) { temperature_ = temperature; }  // > 0

  int64_t count() const { return count_; }
  // Drops all but the first n; at least one is left.
  void keep(int64_t n);
  // The id of the r-th, r < count().
  int32_t at(int64_t rank);
  // exp((logit - largest logit) / temperature): the probability but for a factor.
  double weight(int32_t id);
  // Over all candidates, added up in the order of for_each().
  double weight_sum();

  // f(id) for every candidate until it returns true: by id while none has been dropped, else by
  // rank. So a cut that drops nothing changes nothing.
  template <class F>
  void for_each(F&& f) {
    const bool all = count_ == static_cast<int64_t>(logits_.size());
    for (int64_t i = 0; i < count_; ++i) {
      if (f(all ? static_cast<int32_t>(i) : at(i))) return;
    }
  }

 private:
  void find_largest();
  void sort_to(int64_t n);

  std::vector<float> logits_;
  std::vector<int32_t> order_;  // the first sorted_ are in order
  int64_t sorted_ = 0, count_ = 0;
  int32_t largest_ = -1;  // id; -1: not looked for
  double temperature_ = 1;
};

}  // namespace llmtool
