#include "lib/eval/rolling_loss.h"

#include <algorithm>

#include "lib/base/error.h"
#include "lib/base/interrupt.h"

namespace llmtool {
namespace {

constexpr int64_t kBatchTokens = 2048;

RollingLoss::Options with_defaults(RollingLoss::Options o, const Model& model) {
  const int64_t most = model.config().max_position_embeddings;
  check(o.context >= 0 && o.context <= most, Fault::kUsage, "a context of ", o.context,
        " tokens is more than the model's ", most, " (max_position_embeddings)");
  if (o.context == 0) o.context = most;
  if (o.stride == 0) o.stride = std::max<int64_t>(1, o.context / 2);
  check(o.stride > 0 && o.stride <= o.context, Fault::kUsage, "a stride of ", o.stride,
        " tokens does not lie within the context of ", o.context);
  if (o.batch_tokens == 0) o.batch_tokens = kBatchTokens;
  o.batch_tokens = std::max(o.batch_tokens, o.context);
  return o;
}

}  // namespace

RollingLoss::RollingLoss(Model& model, const Options& options, Take take, Stream& stream)
    : model_(model),
      options_(with_defaults(options, model)),
      take_(std::move(take)),
      stream_(stream) {
  model_.reserve_inference(options_.batch_tokens, 1);
}

void RollingLoss::add(std::vector<int32_t> ids) {
  const auto count = static_cast<int64_t>(ids.size()) - 1;  // of targets
  texts_.push_back({.index = added_++, .ids = std::move(ids), .losses = {}});
  Text& text = texts_.back();
  if (count <= 0) {
    if (texts_.size() == 1) run_batch();
    return;
  }
  const int64_t rest = std::max<int64_t>(0, count - options_.context);
  text.windows = static_cast<size_t>(1 + (rest + options_.stride - 1) / options_.stride);
  for (int64_t done = 0; done < count;) {
    const int64_t scored = std::min(done == 0 ? options_.context : options_.stride, count - done);
    const int64_t end = done + scored;
    const int64_t begin = std::max<int64_t>(0, end - options_.context);
    add_window({&text, begin, end - begin, scored});
    done = end;
  }
}

void RollingLoss::add_window(const Window& window) {
  if (static_cast<int64_t>(ids_.size()) + window.length > options_.batch_tokens) run_batch();
  windows_.push_back(window);
  append(window);
}

void RollingLoss::append(const Window& w) {
  const auto row = static_cast<int64_t>(ids_.size());
  sequences_.push_back({row, w.length, row, w.length});
  for (int64_t i = 0; i < w.length; ++i) {
    const auto at = static_cast<size_t>(w.begin + i);
    ids_.push_back(w.text->ids[at]);
    positions_.push_back(static_cast<int32_t>(i));
    targets_.push_back(i < w.length - w.scored ? kIgnoredTarget : w.text->ids[at + 1]);
  }
}

void RollingLoss::run_batch() {
  check_interrupted();
  losses_.resize(ids_.size());
  model_.loss({.ids = ids_, .positions = positions_, .targets = targets_, .sequences = sequences_},
              losses_, 0, stream_);
  auto row = losses_.begin();
  for (const Window& w : windows_) {
    row += w.length;
    w.text->losses.insert(w.text->losses.end(), row - w.scored, row);
    --w.text->windows;
  }
  windows_.clear();
  ids_.clear();
  positions_.clear();
  targets_.clear();
  sequences_.clear();
  for (; !texts_.empty() && texts_.front().windows == 0; texts_.pop_front()) {
    take_(texts_.front().index, texts_.front().losses);
  }
}

void RollingLoss::finish() {
  run_batch();
  LLMTOOL_ASSERT(texts_.empty());
}

}  // namespace llmtool
