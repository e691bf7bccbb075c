// What the lines of metrics.jsonl say of a run, in bounded memory however many they are: curves,
// the last events and samples, and the result so far.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "lib/report/curve.h"
#include "lib/train/metrics.h"
#include "lib/train/result.h"

namespace llmtool {

class RunHistory {
 public:
  struct Event {
    int64_t step = 0;
    double time = 0;
    std::string name, detail;
  };
  struct Sample {
    int64_t step = 0;
    std::string text;
  };
  static constexpr size_t kMostEvents = 200, kMostSamples = 12;

  // In the order of the file.
  void add(const MetricsLine& line);

  const TrainResult& result() const { return result_; }
  // By the step: loss, validation_loss, lr, grad_norm, tokens_per_second, mfu, memory_bytes.
  const Curve& curve(const std::string& key) const;
  // The first and the last ones; what lies between is counted.
  const std::deque<Event>& events() const { return events_; }
  int64_t events_left_out() const { return events_left_out_; }
  const std::deque<Sample>& samples() const { return samples_; }
  int64_t samples_left_out() const { return samples_left_out_; }
  // Of the last "start" or "resume": JSON, or empty.
  const std::string& settings() const { return settings_; }
  // The last event that says how the run stands: start, resume, finished, interrupted, failed.
  const Event& state() const { return state_; }
  double last_time() const { return last_time_; }

 private:
  void add_event(const MetricsLine& line, const std::string& name);
  void begin_part(const MetricsLine& line);
  void add_step(const MetricsLine& line);
  void keep_event(Event event);

  TrainResult result_;
  std::map<std::string, Curve> curves_;
  std::deque<Event> events_;
  std::deque<Sample> samples_;
  int64_t events_left_out_ = 0, samples_left_out_ = 0;
  std::string settings_;
  Event state_;
  double last_time_ = 0;
  double part_tokens_ = 0, part_wait_ = 0;  // since the last start or resume
};

}  // namespace llmtool
