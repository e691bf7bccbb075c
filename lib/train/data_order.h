// Which tokens a training step sees: a pure function of the sizes and the seed, so that a run can
// stop anywhere and go on with the same bytes, and so that ranks can share it.
//
// The training tokens (all documents, in order) are cut into windows of T + 1 tokens that overlap
// by one: window w of epoch e begins at token offset(e) + w * T, for every w that fits. offset(0) =
// 0; later epochs begin at Rng(seed, hash("data offset")).below(e, T), if there are at least two
// windows, so that the cuts fall elsewhere. Each epoch visits its windows in the order of a
// Fisher-Yates shuffle: for i = W-1 down to 1 swap i with Rng(seed, hash("data order") + e)
// .below(i, i + 1). Sample s is the s-th window in that order, epoch after epoch; step k of R ranks
// with B samples a rank takes samples [(k * R + rank) * B, ...).
#pragma once

#include <cstdint>
#include <vector>

namespace llmtool {

class DataOrder {
 public:
  // Throws Fault::kInput if the tokens are too few for one window.
  DataOrder(int64_t tokens, int64_t context, uint64_t seed);

  // First token of the window of a sample, counted from 0 over all epochs.
  int64_t window_begin(int64_t sample);
  int64_t epoch_of(int64_t sample);
  int64_t windows_per_epoch() const { return windows(0); }

 private:
  int64_t offset(int64_t epoch) const;
  int64_t windows(int64_t epoch) const;
  void enter(int64_t sample);  // makes epoch_ the one of sample

  int64_t tokens_, context_;
  uint64_t seed_;
  int64_t epoch_ = -1, first_sample_ = 0;
  std::vector<int64_t> order_;
};

}  // namespace llmtool
