#include "lib/train/run_log.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "lib/base/machine.h"
#include "lib/text/utf8.h"
#include "lib/train/run_report.h"

namespace llmtool {
namespace {

double steady_seconds() {
  using Clock = std::chrono::steady_clock;
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

// Milliseconds will do.
double rounded(double seconds) {
  return std::round(seconds * 1000) / 1000;
}

double unix_time() {
  using Clock = std::chrono::system_clock;
  return rounded(std::chrono::duration<double>(Clock::now().time_since_epoch()).count());
}

}  // namespace

RunLog::RunLog(const Start& start, EnergyMeter& meter)
    : run_(start.run),
      meter_(meter),
      began_(steady_seconds()),
      joules_at_start_(meter.joules()),
      tensorboard_(start.run, unix_time()) {
  AtomicFile lines(run_ / "metrics.jsonl");
  read_past(start, lines);
  MetricsLine first;
  first.step = std::max<int64_t>(0, start.step);
  first.texts = {{"event", start.step < 0 ? "start" : "resume"}};
  if (!start.detail.empty()) first.texts.emplace_back("detail", start.detail);
  first.numbers = {{"tokens", static_cast<double>(start.tokens)}};
  add_totals(first.numbers);
  first.settings = start.settings;
  first.time = unix_time();
  // With it at once: whatever happens next, the totals of lines that were dropped are not lost.
  lines.write(first.json() + "\n");
  lines.commit();
  take_in(first);
  tensorboard_.finish_past();
  metrics_ = std::make_unique<MetricsWriter>(run_ / "metrics.jsonl");
}

void RunLog::read_past(const Start& start, AtomicFile& kept) {
  Totals seen;
  read_metrics(run_ / "metrics.jsonl", [&](const MetricsLine& line, std::string_view text) {
    const auto take = [&](const char* key, double& value) {
      if (const double v = line.number(key); counts(v)) value = v;
    };
    take("wall_seconds", seen.wall_seconds);
    take("energy_joules", seen.energy_joules);
    take("energy_seconds", seen.energy_seconds);
    if (line.step > start.step) return;
    kept.write(text);
    kept.write("\n");
    take_in(line);
    if (line.step < start.step) return;
    for (const auto& [key, value] : line.numbers) resumed_keys_.insert(key);
    for (const auto& [key, value] : line.texts) resumed_keys_.insert(key);
  });
  if (start.keep_totals) before_ = seen;
}

void RunLog::take_in(const MetricsLine& line) {
  history_.add(line);
  tensorboard_.add(line);
}

void RunLog::add_totals(Numbers& numbers) {
  const double here = steady_seconds() - began_;
  const bool known = !meter_.source().empty();
  numbers.emplace_back("wall_seconds", rounded(before_.wall_seconds + here));
  if (!known && before_.energy_seconds <= 0) return;
  numbers.emplace_back("energy_joules",
                       rounded(before_.energy_joules + meter_.joules() - joules_at_start_));
  numbers.emplace_back("energy_seconds", rounded(before_.energy_seconds + (known ? here : 0)));
}

void RunLog::append(MetricsLine line) {
  line.time = unix_time();
  metrics_->write(line);
  take_in(line);
}

// A run may have many micro-batches a second, and each of a counter's files costs a system call.
void RunLog::tick() {
  const double now = steady_seconds();
  if (now < next_tick_) return;
  meter_.joules();
  next_tick_ = now + 1;
}

void RunLog::write_step(int64_t step, Numbers numbers) {
  const MemoryUse memory = memory_use();
  numbers.emplace_back("memory_bytes", static_cast<double>(memory.resident));
  numbers.emplace_back("peak_memory_bytes", static_cast<double>(memory.peak));
  add_totals(numbers);
  write(step, std::move(numbers));
}

void RunLog::write(int64_t step, Numbers numbers) {
  MetricsLine line;
  line.step = step;
  line.numbers = std::move(numbers);
  append(std::move(line));
}

void RunLog::write_sample(int64_t step, const std::string& text) {
  MetricsLine line;
  line.step = step;
  line.texts = {{"sample", with_valid_utf8(text)}};
  append(std::move(line));
}

void RunLog::write_event(int64_t step, const std::string& name, const std::string& detail) {
  MetricsLine line;
  line.step = step;
  line.texts = {{"event", name}};
  if (!detail.empty()) line.texts.emplace_back("detail", detail);
  add_totals(line.numbers);
  append(std::move(line));
}

void RunLog::write_report() const {
  write_file(run_ / "report.html", run_report(history_, report_name(run_)));
}

}  // namespace llmtool
