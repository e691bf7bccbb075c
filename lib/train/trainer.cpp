#include "lib/train/trainer.h"

#include <chrono>
#include <cmath>
#include <limits>

#include "lib/base/error.h"
#include "lib/base/formatted.h"
#include "lib/base/interrupt.h"
#include "lib/base/log.h"
#include "lib/base/progress.h"
#include "lib/text/utf8.h"
#include "lib/train/batch.h"
#include "lib/train/data_order.h"
#include "lib/train/plan.h"
#include "lib/train/run_log.h"
#include "lib/train/run_settings.h"

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

// Ctrl-C while something runs that leaves no trace (evaluation, samples): unwinds to the loop.
struct Interrupt {};

class Trainer {
 public:
  Trainer(Model& model, const TrainingData& data, const TrainOptions& options,
          const SampleText& sample, Stream& stream, std::optional<RunLock>& lock)
      : model_(model),
        data_(data),
        options_(options),
        sample_(sample),
        stream_(stream),
        lock_(lock),
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
      return end("interrupted");
    }
    save_model_folder(fs::path(options_.output) / "model", model_, data_.tokenizer.get(), stream_);
    return end("finished");
  }

 private:
  void prepare() {
    create_folder(options_.output);
    lock_.emplace(options_.output);
    remove_unfinished(options_.output);
    const TrainingPlan plan = plan_training(model_, options_, model_.parameters().dtype(), stream_);
    packs_ = plan.packed_bytes > 0;
    model_.reserve_training(options_.batch_size * options_.seq_len, packs_);
    optimizer_ = std::make_unique<Optimizer>(model_.parameters(), options_.adamw, stream_);
    losses_.resize(static_cast<size_t>(options_.batch_size * options_.seq_len));
    const auto checkpoints = list_checkpoints(options_.output);
    check(options_.resume || checkpoints.empty(), Fault::kUsage, options_.output,
          ": there is a run in this folder: --resume goes on with it, or give another --output");
    std::string extension;
    if (!checkpoints.empty()) extension = resume(checkpoints.back());
    state_.options = fingerprint_;
    saved_step_ = resumed_step_ = checkpoints.empty() ? -1 : state_.step;
    open_log(extension);
    loss_ = log_->result().loss;
    if (options_.save_initial && checkpoints.empty()) save();
    progress_ = std::make_unique<Progress>(
        "train", static_cast<uint64_t>(options_.steps * tokens_per_step()), "tokens",
        static_cast<uint64_t>(state_.tokens));
    started_step_ = state_.step;
    started_ = last_save_ = Clock::now();
  }

  // Returns what an extension of the run means; empty if it is none.
  std::string resume(const CheckpointFolder& from) {
    state_ = read_trainer_state(from);
    std::string extension =
        check_resumable(state_.options, fingerprint_, schedule_, from.path.string());
    load_checkpoint(from, model_, *optimizer_, stream_);
    log_info(concat("going on from ", from.path.string()));
    if (!extension.empty() && schedule_.knows_end) {
      log_warning(extension);
    } else if (!extension.empty()) {
      log_info(extension);
    }
    return extension;
  }

  void open_log(const std::string& detail) {
    peak_ = peak_flops(options_.peak_flops, model_.parameters().dtype(), stream_);
    log_ = std::make_unique<RunLog>(
        RunLog::Start{
            .run = options_.output,
            .step = resumed_step_,
            .tokens = state_.tokens,
            .keep_totals = options_.resume,
            .settings = run_settings(options_, model_, data_, peak_, energy_.source(), stream_),
            .detail = detail},
        energy_);
  }

  int64_t tokens_per_step() const {
    return options_.batch_size * options_.grad_accum * options_.seq_len;
  }

  void stop_if_asked() {
    log_->tick();
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
    loss_ = loss;
    report(lr, norm, seconds);
    after_step();
  }

  [[noreturn]] void not_finite(int64_t step, double loss, double norm) {
    const std::string what =
        concat("step ", step, ": the loss (", loss, ") or the gradient's norm (", norm,
               ") is not finite; no weight was changed by it");
    log_->write_event(state_.step, "failed", what);
    log_->write_report();
    const auto checkpoints = list_checkpoints(options_.output);
    fail(Fault::kFailed, what,
         checkpoints.empty() ? "try a lower --lr or a longer warm-up"
                             : concat("the last checkpoint is ", checkpoints.back().path.string(),
                                      "; try a lower --lr or a longer warm-up"));
  }

  void report(double lr, double norm, double seconds) {
    const double rate = static_cast<double>(tokens_per_step()) / seconds;
    const double wait = data_seconds_ / seconds;
    const double flops = model_.config().training_flops_per_token(options_.seq_len) * rate;
    const int64_t sample = state_.step * options_.grad_accum * options_.batch_size - 1;
    RunLog::Numbers numbers = {{"loss", loss_},
                               {"lr", lr},
                               {"grad_norm", norm},
                               {"tokens", static_cast<double>(state_.tokens)},
                               {"epoch", static_cast<double>(order_.epoch_of(sample))},
                               {"seconds", seconds},
                               {"tokens_per_second", rate}};
    if (peak_.per_second > 0) numbers.emplace_back("mfu", flops / peak_.per_second);
    numbers.emplace_back("data_wait", wait);
    numbers.emplace_back("eta_seconds", seconds_left());
    log_->write_step(state_.step, std::move(numbers));
    show_progress(lr, norm, wait);
  }

  // With the evaluations and checkpoints that there were so far.
  double seconds_left() const {
    const double done = static_cast<double>(state_.step - started_step_);
    const double left = static_cast<double>(options_.steps - state_.step);
    return std::round(10 * left * seconds_since(started_) / done) / 10;
  }

  void show_progress(double lr, double norm, double wait) {
    std::string text = formatted("step %lld loss %.4f lr %.2e norm %.2f",
                                 static_cast<long long>(state_.step), loss_, lr, norm);
    if (const double mfu = log_->result().mfu(); std::isfinite(mfu)) {
      text += formatted(" MFU %.0f%%", 100 * mfu);
    }
    text += formatted(" data wait %.1f%%, ", 100 * wait) +
            human_bytes(static_cast<double>(log_->result().memory_bytes));
    progress_->set_note(text);
    progress_->set(static_cast<uint64_t>(state_.tokens));
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
      return state_.step == resumed_step_ && log_->was_written(key);
    };
    if ((due(state_.step, options_.eval_every) || last_step()) && !done("validation_loss")) {
      evaluate();
    }
    if (due(state_.step, options_.sample_every) && sample_ && !done("sample")) {
      const std::string text = sample_(model_, state_.step);
      model_.reserve_training(options_.batch_size * options_.seq_len, packs_);
      stop_if_asked();
      log_->write_sample(state_.step, text);
      log_info(concat("step ", state_.step, ": ", without_controls(text)));
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
    const double loss = total / static_cast<double>(counted);
    log_->write(state_.step,
                {{"validation_loss", loss}, {"validation_tokens", static_cast<double>(counted)}});
    log_info(
        formatted("step %lld: validation loss %.4f", static_cast<long long>(state_.step), loss) +
        (std::isfinite(loss_) ? formatted(" (training %.4f)", loss_) : ""));
  }

  void save() {
    log_->sync();  // no checkpoint goes on from lines that are lost
    save_checkpoint(options_.output, state_, model_, data_.tokenizer.get(), *optimizer_, stream_);
    remove_old_checkpoints(options_.output, options_.keep);
    saved_step_ = state_.step;
    last_save_ = Clock::now();
    log_->write_event(state_.step, "checkpoint");
    log_->write_report();
  }

  void save_if_new() {
    if (saved_step_ != state_.step) save();
  }

  TrainResult end(const char* event) {
    progress_->finish();
    log_->write_event(state_.step, event);
    log_->write_report();
    return log_->result();
  }

  Model& model_;
  const TrainingData& data_;
  const TrainOptions& options_;
  const SampleText& sample_;
  Stream& stream_;
  std::optional<RunLock>& lock_;
  const Schedule& schedule_;
  DataOrder order_;
  std::string fingerprint_;

  EnergyMeter energy_{{.powercap = options_.powercap,
                       .gpu_bus_id = bus_id(stream_),
                       .stated_watts = options_.power_watts}};
  PeakFlops peak_;

  std::unique_ptr<Optimizer> optimizer_;
  bool packs_ = false;  // weights, see plan_training()
  std::unique_ptr<RunLog> log_;
  std::unique_ptr<Progress> progress_;
  Batch batch_{options_.seq_len, data_.document_end};
  std::vector<float> losses_;
  TrainerState state_;
  int64_t saved_step_ = -1, resumed_step_ = -1, started_step_ = 0;
  double loss_ = std::numeric_limits<double>::quiet_NaN();
  double data_seconds_ = 0;
  Clock::time_point started_, last_save_;
};

}  // namespace

TrainResult train(Model& model, const TrainingData& data, const TrainOptions& options,
                  const SampleText& sample, Stream& stream, std::optional<RunLock>& lock) {
  return Trainer(model, data, options, sample, stream, lock).run();
}

}  // namespace llmtool
