#include "lib/train/data_order.h"

#include <numeric>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/rng.h"

namespace llmtool {

DataOrder::DataOrder(int64_t tokens, int64_t context, uint64_t seed)
    : tokens_(tokens), context_(context), seed_(seed) {
  check(tokens > context, Fault::kInput, "the training data has ", tokens,
        " tokens, a window of --seq-len ", context, " needs ", context + 1,
        ": give more data or a shorter context");
}

int64_t DataOrder::offset(int64_t epoch) const {
  if (epoch == 0 || tokens_ - 1 < 2 * context_) return 0;
  const Rng rng(seed_, stream_id("data offset"));
  return static_cast<int64_t>(
      rng.below(static_cast<uint64_t>(epoch), static_cast<uint64_t>(context_)));
}

int64_t DataOrder::windows(int64_t epoch) const {
  return (tokens_ - 1 - offset(epoch)) / context_;
}

void DataOrder::enter(int64_t sample) {
  LLMTOOL_ASSERT(sample >= 0);
  if (epoch_ >= 0 && sample >= first_sample_ &&
      sample < first_sample_ + static_cast<int64_t>(order_.size())) {
    return;
  }
  epoch_ = 0;
  first_sample_ = 0;
  while (sample >= first_sample_ + windows(epoch_)) first_sample_ += windows(epoch_++);
  order_.resize(static_cast<size_t>(windows(epoch_)));
  std::iota(order_.begin(), order_.end(), int64_t{0});
  const Rng rng(seed_, stream_id("data order") + static_cast<uint64_t>(epoch_));
  for (size_t i = order_.size(); i-- > 1;) {
    std::swap(order_[i], order_[rng.below(i, i + 1)]);
  }
}

int64_t DataOrder::window_begin(int64_t sample) {
  enter(sample);
  return offset(epoch_) + order_[static_cast<size_t>(sample - first_sample_)] * context_;
}

int64_t DataOrder::epoch_of(int64_t sample) {
  enter(sample);
  return epoch_;
}

}  // namespace llmtool
