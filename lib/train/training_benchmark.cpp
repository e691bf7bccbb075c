#include "lib/train/training_benchmark.h"

#include <algorithm>
#include <chrono>
#include <numeric>

#include "lib/base/rng.h"
#include "lib/train/optimizer.h"
#include "lib/train/plan.h"

namespace llmtool {
namespace {

// A model, its optimizer, and one batch of random tokens.
class Training {
 public:
  Training(const LlamaConfig& config, DType dtype, const TrainOptions& options, Stream& stream)
      : model_(make_model(config)), options_(options), stream_(&stream) {
    model_->parameters().allocate_weights(dtype, stream.device);
    model_->parameters().initialize(options.seed, stream);
    const int64_t n = options.batch_size * options.seq_len;
    const TrainingPlan plan = plan_training(*model_, options, dtype, stream);
    model_->reserve_training(n, plan.packed_bytes > 0);
    optimizer_ = std::make_unique<Optimizer>(model_->parameters(), options.adamw, stream);
    const Rng rng(options.seed);
    for (int64_t i = 0; i <= n; ++i) {
      const uint64_t id =
          rng.below(static_cast<uint64_t>(i), static_cast<uint64_t>(config.vocab_size));
      ids_.push_back(static_cast<int32_t>(id));
    }
    for (int64_t i = 0; i < n; ++i) {
      positions_.push_back(static_cast<int32_t>(i % options.seq_len));
    }
    for (int64_t b = 0; b < options.batch_size; ++b) {
      const int64_t at = b * options.seq_len;
      sequences_.push_back({at, options.seq_len, at, options.seq_len});
    }
    losses_.resize(static_cast<size_t>(n));
  }

  int64_t tokens() const { return options_.grad_accum * static_cast<int64_t>(positions_.size()); }
  double loss() const {
    return std::accumulate(losses_.begin(), losses_.end(), 0.0) /
           static_cast<double>(losses_.size());
  }

  // Seconds of one step; operations record into `profile` if there is one.
  double step(Profile* profile) {
    const auto start = std::chrono::steady_clock::now();
    stream_->profile = profile;
    const size_t n = positions_.size();
    const TokenBatch batch{{ids_.data(), n}, positions_, {ids_.data() + 1, n}, sequences_};
    for (int64_t i = 0; i < options_.grad_accum; ++i) {
      model_->loss(batch, losses_, 1.0f / static_cast<float>(tokens()), *stream_);
    }
    const double norm = optimizer_->gradient_norm(*stream_);
    optimizer_->update(++steps_, options_.lr, norm, *stream_);
    synchronize(*stream_);
    stream_->profile = nullptr;
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

 private:
  std::unique_ptr<Model> model_;
  TrainOptions options_;
  Stream* stream_;
  std::unique_ptr<Optimizer> optimizer_;
  std::vector<int32_t> ids_, positions_;
  std::vector<AttentionSequence> sequences_;
  std::vector<float> losses_;
  int64_t steps_ = 0;
};

// Every step calls the same operations in the same order, so entry i is the same in all rounds.
std::vector<OperationTiming> median_of(const std::vector<Profile>& rounds) {
  const auto& entries = rounds.front().entries();
  std::vector<OperationTiming> timings(entries.size());
  for (size_t i = 0; i < entries.size(); ++i) {
    std::vector<double> seconds;
    for (const Profile& p : rounds) seconds.push_back(p.entries()[i].seconds);
    const Profile::Entry& e = entries[i];
    const int depth = e.parent < 0 ? 0 : timings[static_cast<size_t>(e.parent)].depth + 1;
    timings[i] = {std::string(e.name), depth, e.calls, median(std::move(seconds)), e.cost};
  }
  return timings;
}

// Longest first, and after each the longest of those that it calls.
void append_children(std::vector<OperationTiming>& to, const std::vector<OperationTiming>& all,
                     const std::vector<Profile::Entry>& entries, int parent) {
  std::vector<size_t> mine;
  for (size_t i = 0; i < all.size(); ++i) {
    if (entries[i].parent == parent) mine.push_back(i);
  }
  std::stable_sort(mine.begin(), mine.end(),
                   [&](size_t a, size_t b) { return all[a].seconds > all[b].seconds; });
  for (const size_t i : mine) {
    to.push_back(all[i]);
    append_children(to, all, entries, static_cast<int>(i));
  }
}

}  // namespace

TrainingBenchmark benchmark_training(LlamaConfig config, DType dtype, const TrainOptions& options,
                                     int rounds, int64_t memory_bytes, Stream& stream) {
  config.max_position_embeddings = std::max(config.max_position_embeddings, options.seq_len);
  Training training(config, dtype, options, stream);
  PeakMeter meter(memory_bytes, stream);
  std::vector<double> plain, watched, outside;
  std::vector<Profile> profiles(static_cast<size_t>(rounds));
  training.step(nullptr);  // touches the memory
  for (Profile& profile : profiles) {
    meter.measure();
    plain.push_back(training.step(nullptr));
    watched.push_back(training.step(&profile));
    outside.push_back(watched.back() - profile.seconds());
  }
  TrainingBenchmark result;
  result.peaks = meter.medians();
  result.step_seconds = median(plain);
  result.profiled_seconds = median(watched);
  result.outside_seconds = median(outside);
  result.tokens_per_second = static_cast<double>(training.tokens()) / result.step_seconds;
  result.flops_per_second =
      result.tokens_per_second * config.training_flops_per_token(options.seq_len);
  result.utilisation = result.flops_per_second / result.peaks.flops(dtype);
  result.loss = training.loss();
  append_children(result.operations, median_of(profiles), profiles.front().entries(), -1);
  return result;
}

}  // namespace llmtool
