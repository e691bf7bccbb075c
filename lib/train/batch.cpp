#include "lib/train/batch.h"

#include <algorithm>

namespace llmtool {

void Batch::clear() {
  ids_.clear();
  positions_.clear();
  targets_.clear();
  sequences_.clear();
}

void Batch::add_window(const TokenDataset& data, int64_t begin, int64_t limit) {
  const int64_t n = std::min(context_, limit);
  window_.resize(static_cast<size_t>(n) + 1);
  data.read(begin, n + 1, window_.data());
  int64_t first = tokens();
  for (int64_t i = 0; i < n; ++i) {
    const int32_t id = window_[static_cast<size_t>(i)];
    const int64_t here = tokens();
    if (i == 0 || id == document_end_) {
      first = here;
      sequences_.push_back({here, 0, here, 0});
    }
    ids_.push_back(id);
    targets_.push_back(window_[static_cast<size_t>(i) + 1]);
    positions_.push_back(static_cast<int32_t>(here - first));
    ++sequences_.back().q_count;
    ++sequences_.back().kv_count;
  }
}

}  // namespace llmtool
