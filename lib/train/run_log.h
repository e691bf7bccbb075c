// What a run tells while it goes: every line goes to metrics.jsonl, to TensorBoard's file and into
// the history that report.html is made of.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lib/base/energy.h"
#include "lib/train/run_history.h"
#include "lib/train/tensorboard_log.h"

namespace llmtool {

class RunLog {
 public:
  // Where a run goes on: -1 steps for one that begins.
  struct Start {
    fs::path run;
    int64_t step = -1, tokens = 0;
    // Whether the time and the energy of lines that are there count, also of those that are lost.
    bool keep_totals = false;
    std::string settings, detail;  // JSON; what is special about this part, for people
  };
  // Drops the lines after start.step from the files, and says "start" or "resume".
  // The meter must outlive the log.
  RunLog(const Start& start, EnergyMeter& meter);

  using Numbers = std::vector<std::pair<std::string, double>>;
  // Numbers with the memory, the time and the energy so far.
  void write_step(int64_t step, Numbers numbers);
  void write(int64_t step, Numbers numbers);
  void write_sample(int64_t step, const std::string& text);
  void write_event(int64_t step, const std::string& name, const std::string& detail = {});
  void write_report() const;

  // Keeps the counters of energy from wrapping unseen: to be called every few minutes, or at any
  // time: it reads them once a second at most.
  void tick();
  // Returns when all lines are on the disk.
  void sync() { metrics_->sync(); }

  // Whether the lines of start.step had this key.
  bool was_written(const std::string& key) const { return resumed_keys_.contains(key); }
  const TrainResult& result() const { return history_.result(); }

 private:
  struct Totals {
    double wall_seconds = 0, energy_joules = 0, energy_seconds = 0;
  };
  // Reads the lines, those up to start.step into `kept`.
  void read_past(const Start& start, AtomicFile& kept);
  void take_in(const MetricsLine& line);
  void add_totals(Numbers& numbers);
  void append(MetricsLine line);

  fs::path run_;
  EnergyMeter& meter_;
  Totals before_;                   // of earlier processes
  double began_, joules_at_start_;  // of this one: steady clock, meter
  double next_tick_ = 0;            // steady clock
  std::set<std::string> resumed_keys_;
  RunHistory history_;
  TensorBoardLog tensorboard_;
  std::unique_ptr<MetricsWriter> metrics_;
};

}  // namespace llmtool
