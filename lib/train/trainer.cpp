#include "lib/train/trainer.h"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <nlohmann/json.hpp>

#include "lib/base/error.h"
#include "lib/base/interrupt.h"
#include "lib/base/log.h"
#include "lib/base/progress.h"
#include "lib/train/batch.h"
#include "lib/train/data_order.h"
#include "lib/train/metrics.h"

namespace llmtool {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Sums in f64, in order.
double sum(std::span<const float> values) {
  double total = 0;
  for (const float v : values) total += v;
  return total;
}

// Where two fingerprints differ: "lr was 0.001, is 0.002"; empty if they do not.
std::string changed_options(const std::string& then_text, const std::string& now_text) {
  const auto then = nlohmann::json::parse(then_text).flatten();
  const auto now = nlohmann::json::parse(now_text).flatten();
  auto all = now;
  all.update(then);
  std::string changed;
  for (const auto& [path, ignored] : all.items()) {
    const auto before = then.value(path, nlohmann::json()),
               after = now.value(path, nlohmann::json());
    if (before == after) continue;
    changed += concat(changed.empty() ? "" : "; ", path.substr(path.rfind('/') + 1), " was ",
                      before.dump(), ", is ", after.dump());
  }
  return changed;
}

// Ctrl-C while something runs that leaves no trace (evaluation, samples): unwinds to the loop.
struct Interrupt {};

class Trainer {
 public:
  Trainer(Model& model, const TrainingData& data, const TrainOptions& options,
          const SampleText& sample, Stream& stream)
      : model_(model),
        data_(data),
        options_(options),
        sample_(sample),
        stream_(stream),
        schedule_(Catalog<Schedule>::find("schedule", options.schedule)),
        order_(data.train->tokens(), options.seq_len, options.seed),
        fingerprint_(options_fingerprint(options, model, data)) {}

  TrainResult run() {
    prepare();
    try {
      if (state_.step > 0) evaluate_and_sample();
      while (state_.step < options_.steps) one_step();
    } catch (const Interrupt&) {
      save_if_new();
      return result(true);
    }
    finish();
    return result(false);
  }

 private:
  void prepare() {
    create_folder(options_.output);
    remove_unfinished(options_.output);
    model_.reserve_training(options_.batch_size * options_.seq_len);
    optimizer_ = std::make_unique<Optimizer>(model_.parameters(), options_.adamw, stream_);
    losses_.resize(static_cast<size_t>(options_.batch_size * options_.seq_len));
    const auto checkpoints = list_checkpoints(options_.output);
    check(options_.resume || checkpoints.empty(), Fault::kUsage, options_.output,
          ": there is a run in this folder: --resume goes on with it, or give another --output");
    if (!checkpoints.empty()) resume(checkpoints.back());
    metrics_ = std::make_unique<Metrics>(fs::path(options_.output) / "metrics.jsonl", state_.step);
    loss_ = metrics_->resumed("loss");
    validation_loss_ = metrics_->resumed("validation_loss");
    state_.options = fingerprint_;
    saved_step_ = resumed_step_ = checkpoints.empty() ? -1 : state_.step;
    if (options_.save_initial && checkpoints.empty()) save();
    progress_ = std::make_unique<Progress>(
        "train", static_cast<uint64_t>(options_.steps * tokens_per_step()), "tokens");
    progress_->set(static_cast<uint64_t>(state_.tokens));
    started_tokens_ = state_.tokens;
    last_save_ = Clock::now();
  }

  void resume(const CheckpointFolder& from) {
    state_ = read_trainer_state(from);
    const std::string changed = changed_options(state_.options, fingerprint_);
    if (!changed.empty()) {
      fail(Fault::kUsage, concat(from.path.string(), ": made with other options: ", changed),
           "give the same ones to go on with it, or another --output");
    }
    load_checkpoint(from, model_, *optimizer_, stream_);
    log_info(concat("going on from ", from.path.string()));
  }

  int64_t tokens_per_step() const {
    return options_.batch_size * options_.grad_accum * options_.seq_len;
  }

  static void stop_if_asked() {
    if (interrupted()) throw Interrupt{};
  }

  // One micro-batch: adds to the gradients, returns the sum of the losses.
  double micro_step(int64_t first_sample) {
    const auto reading = Clock::now();
    batch_.clear();
    for (int64_t b = 0; b < options_.batch_size; ++b) {
      batch_.add_window(*data_.train, order_.window_begin(first_sample + b), options_.seq_len);
    }
    data_seconds_ += seconds_since(reading);
    const std::span<float> losses(losses_.data(), static_cast<size_t>(batch_.tokens()));
    const float scale = static_cast<float>(1.0 / static_cast<double>(tokens_per_step()));
    model_.loss(batch_.view(), losses, scale, stream_);
    return sum(losses);
  }

  void one_step() {
    const auto start = Clock::now();
    data_seconds_ = 0;
    double total = 0;
    for (int64_t i = 0; i < options_.grad_accum; ++i) {
      stop_if_asked();
      total += micro_step((state_.step * options_.grad_accum + i) * options_.batch_size);
    }
    const int64_t step = state_.step + 1;
    const double loss = total / static_cast<double>(tokens_per_step());
    const double norm = optimizer_->gradient_norm(stream_);
    if (!std::isfinite(loss) || !std::isfinite(norm)) not_finite(step, loss, norm);
    const double lr = learning_rate(schedule_, options_.lr, options_.min_lr_ratio,
                                    options_.warmup_steps, options_.steps, step);
    optimizer_->update(step, lr, norm, stream_);
    synchronize(stream_);
    const double seconds = seconds_since(start);
    state_.step = step;
    state_.tokens += tokens_per_step();
    training_seconds_ += seconds;
    loss_ = loss;
    report(lr, norm, seconds);
    after_step();
  }

  [[noreturn]] void not_finite(int64_t step, double loss, double norm) const {
    const auto checkpoints = list_checkpoints(options_.output);
    fail(Fault::kFailed,
         concat("step ", step, ": the loss (", loss, ") or the gradient's norm (", norm,
                ") is not finite; no weight was changed by it"),
         checkpoints.empty() ? "try a lower --lr or a longer warm-up"
                             : concat("the last checkpoint is ", checkpoints.back().path.string(),
                                      "; try a lower --lr or a longer warm-up"));
  }

  void report(double lr, double norm, double seconds) {
    const double rate = static_cast<double>(tokens_per_step()) / seconds;
    metrics_->write(
        state_.step,
        {{"loss", loss_},
         {"lr", lr},
         {"grad_norm", norm},
         {"tokens", static_cast<double>(state_.tokens)},
         {"seconds", seconds},
         {"tokens_per_second", rate},
         {"data_wait", data_seconds_ / seconds},
         {"epoch", static_cast<double>(order_.epoch_of(
                       (state_.step * options_.grad_accum) * options_.batch_size - 1))}});
    progress_->set(static_cast<uint64_t>(state_.tokens));
    char note[96];
    std::snprintf(note, sizeof note, "step %lld loss %.4f lr %.2e norm %.2f",
                  static_cast<long long>(state_.step), loss_, lr, norm);
    progress_->set_note(note);
  }

  static bool due(int64_t step, int64_t every) { return every > 0 && step % every == 0; }

  void after_step() {
    const bool time_to_save =
        options_.save_minutes > 0 && seconds_since(last_save_) >= 60 * options_.save_minutes;
    if (due(state_.step, options_.save_every) || time_to_save || last_step()) save_if_new();
    evaluate_and_sample();
  }

  bool last_step() const { return state_.step == options_.steps; }

  // What comes after the checkpoint of a step. A run that is resumed there does what the one
  // before it was stopped in.
  void evaluate_and_sample() {
    const auto done = [&](const char* key) {
      return state_.step == resumed_step_ && metrics_->was_written(key);
    };
    if ((due(state_.step, options_.eval_every) || last_step()) && !done("validation_loss")) {
      evaluate();
    }
    if (due(state_.step, options_.sample_every) && sample_ && !done("sample")) {
      const std::string text = sample_(model_, state_.step);
      model_.reserve_training(options_.batch_size * options_.seq_len);
      stop_if_asked();
      metrics_->write_text(state_.step, "sample", text);
      log_info(concat("step ", state_.step, ": ", text));
    }
  }

  void evaluate() {
    if (data_.validation == nullptr || data_.validation->tokens() < 2) return;
    const int64_t T = options_.seq_len, targets = data_.validation->tokens() - 1;
    double total = 0;
    int64_t counted = 0, windows = 0;
    int64_t most =
        options_.eval_windows > 0 ? options_.eval_windows : std::numeric_limits<int64_t>::max();
    for (int64_t begin = 0; begin < targets && windows < most;) {
      stop_if_asked();
      batch_.clear();
      for (int64_t b = 0; b < options_.batch_size && begin < targets && windows < most; ++b) {
        batch_.add_window(*data_.validation, begin, targets - begin);
        begin += T;
        ++windows;
      }
      const std::span<float> losses(losses_.data(), static_cast<size_t>(batch_.tokens()));
      model_.loss(batch_.view(), losses, 0, stream_);
      total += sum(losses);
      counted += batch_.tokens();
    }
    validation_loss_ = total / static_cast<double>(counted);
    metrics_->write(state_.step, {{"validation_loss", validation_loss_},
                                  {"validation_tokens", static_cast<double>(counted)}});
    char text[96];
    const int length = std::snprintf(text, sizeof text, "step %lld: validation loss %.4f",
                                     static_cast<long long>(state_.step), validation_loss_);
    if (std::isfinite(loss_)) {
      std::snprintf(text + length, sizeof text - static_cast<size_t>(length), " (training %.4f)",
                    loss_);
    }
    log_info(text);
  }

  void save() {
    save_checkpoint(options_.output, state_, model_, data_.tokenizer.get(), *optimizer_, stream_);
    remove_old_checkpoints(options_.output, options_.keep);
    saved_step_ = state_.step;
    last_save_ = Clock::now();
  }

  void save_if_new() {
    if (saved_step_ != state_.step) save();
  }

  void finish() {
    save_model_folder(fs::path(options_.output) / "model", model_, data_.tokenizer.get(), stream_);
  }

  TrainResult result(bool stopped) const {
    const double tokens = static_cast<double>(state_.tokens - started_tokens_);
    return {
        state_.step,      state_.tokens,     loss_,
        validation_loss_, training_seconds_, training_seconds_ > 0 ? tokens / training_seconds_ : 0,
        stopped};
  }

  Model& model_;
  const TrainingData& data_;
  const TrainOptions& options_;
  const SampleText& sample_;
  Stream& stream_;
  const Schedule& schedule_;
  DataOrder order_;
  std::string fingerprint_;

  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<Progress> progress_;
  Batch batch_{options_.seq_len, data_.document_end};
  std::vector<float> losses_;
  TrainerState state_;
  int64_t saved_step_ = -1, resumed_step_ = -1, started_tokens_ = 0;
  double loss_ = std::numeric_limits<double>::quiet_NaN();
  double validation_loss_ = std::numeric_limits<double>::quiet_NaN();
  double data_seconds_ = 0, training_seconds_ = 0;
  Clock::time_point last_save_;
};

}  // namespace

std::string options_fingerprint(const TrainOptions& o, const Model& model,
                                const TrainingData& data) {
  nlohmann::ordered_json json = {
      {"model", nlohmann::ordered_json::parse(to_json(model.config()))},
      {"compute_dtype", std::string(name_of(model.parameters().dtype()))},
      {"steps", o.steps},
      {"seq_len", o.seq_len},
      {"batch_size", o.batch_size},
      {"grad_accum", o.grad_accum},
      {"lr", o.lr},
      {"min_lr_ratio", o.min_lr_ratio},
      {"warmup_steps", o.warmup_steps},
      {"schedule", o.schedule},
      {"beta1", o.adamw.beta1},
      {"beta2", o.adamw.beta2},
      {"eps", o.adamw.eps},
      {"weight_decay", o.adamw.weight_decay},
      {"clip", o.adamw.clip},
      {"document_end", data.document_end},
      {"seed", o.seed},
      {"train_tokens", data.train->tokens()},
      {"train_documents", data.train->documents()}};
  return json.dump();
}

TrainResult train(Model& model, const TrainingData& data, const TrainOptions& options,
                  const SampleText& sample, Stream& stream) {
  return Trainer(model, data, options, sample, stream).run();
}

}  // namespace llmtool
