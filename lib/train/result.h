// What a training run has done, as its end, its report and --json tell it.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace llmtool {

struct TrainResult {
  static constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

  int64_t steps = 0, steps_wanted = 0, tokens = 0;
  double loss = kNotANumber;             // of the last step, nats per token; NaN if there is none
  double validation_loss = kNotANumber;  // of the last validation; NaN without one
  bool interrupted = false;

  // Of the steps of the last process, without saving and evaluation.
  double seconds = 0, tokens_per_second = 0;
  double data_wait = 0;        // share of the seconds in which the model waited for tokens
  double flops_per_token = 0;  // LlamaConfig::training_flops_per_token
  double peak_flops = 0;       // per second, of all threads or the GPU; 0: unknown
  std::string peak_source;     // "bf16 multiply-adds, measured ...", "stated"

  // Of the process on the host: now, and the most since it began.
  int64_t memory_bytes = 0, peak_memory_bytes = 0;

  // Of all processes of the run, with saving, evaluation and steps that were lost.
  double wall_seconds = 0;
  double energy_joules = 0;   // of the device, without what its surroundings take
  double energy_seconds = 0;  // of wall_seconds, those whose energy is known
  std::string energy_source;  // see EnergyMeter; empty: not known
  double pue = 1.1;  // power usage effectiveness: what the site takes / what the device takes
  double carbon_intensity = 0.385;  // kgCO2e per kWh

  // Model-FLOP utilisation: flops_per_token x tokens_per_second / peak_flops; NaN without a peak.
  double mfu() const;
  // Energy and carbon as LLaMA counts them (Touvron et al. 2023, arXiv:2302.13971, section 6):
  // Wh = device-hours x W x PUE; tCO2e = MWh x 0.385.
  double watt_hours() const { return energy_joules / 3600 * pue; }
  double carbon_kg() const { return watt_hours() / 1000 * carbon_intensity; }
};

// Rows of a table for people: name, value. What is not known is left out or said to be unknown.
std::vector<std::pair<std::string, std::string>> result_rows(const TrainResult& result);
// The table, or one JSON object on a line.
std::string describe_result(const TrainResult& result, bool json);

}  // namespace llmtool
