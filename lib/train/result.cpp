#include "lib/train/result.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "lib/base/error.h"
#include "lib/base/formatted.h"
#include "lib/base/progress.h"

namespace llmtool {
namespace {

using Json = nlohmann::ordered_json;
using Rows = std::vector<std::pair<std::string, std::string>>;

Json number_or_null(double v) {
  return std::isfinite(v) ? Json(v) : Json(nullptr);
}

std::string rate_of_flops(double per_second) {
  return per_second < 1e12 ? formatted("%.1f GFLOP/s", per_second * 1e-9)
                           : formatted("%.2f TFLOP/s", per_second * 1e-12);
}

void add_speed(const TrainResult& r, Rows& rows) {
  if (r.seconds <= 0) return;  // it was through before
  rows.emplace_back("time in steps", human_seconds(r.seconds));
  rows.emplace_back("tokens per second", formatted("%.0f", r.tokens_per_second));
  rows.emplace_back(
      "model FLOPs per token",
      formatted("%.4g (6 x matmul parameters + causal half of attention)", r.flops_per_token));
  rows.emplace_back("model FLOP/s", rate_of_flops(r.flops_per_token * r.tokens_per_second));
  rows.emplace_back("MFU", std::isfinite(r.mfu()) ? formatted("%.1f%% of %s (%s)", 100 * r.mfu(),
                                                              rate_of_flops(r.peak_flops).c_str(),
                                                              r.peak_source.c_str())
                                                  : "not known without --peak-tflops");
  rows.emplace_back("waited for data", formatted("%.2f%% of the time", 100 * r.data_wait));
}

void add_energy(const TrainResult& r, Rows& rows) {
  rows.emplace_back("time in all", human_seconds(r.wall_seconds));
  if (r.energy_seconds <= 0) {
    rows.emplace_back("energy",
                      "not known: no counter can be read here (RAPL, NVML), and "
                      "--power-watts was not given");
    return;
  }
  std::string energy =
      formatted("%.4g Wh = %.4g Wh x PUE %g", r.watt_hours(), r.energy_joules / 3600, r.pue);
  if (!r.energy_source.empty()) energy += " (" + r.energy_source + ")";
  if (r.energy_seconds < 0.99 * r.wall_seconds) {
    energy += formatted("; known for %.0f%% of the time", 100 * r.energy_seconds / r.wall_seconds);
  }
  rows.emplace_back("energy", energy);
  rows.emplace_back("carbon",
                    formatted("%.4g kgCO2e at %g kgCO2e/kWh", r.carbon_kg(), r.carbon_intensity));
}

Json energy_json(const TrainResult& r) {
  if (r.energy_seconds <= 0) return nullptr;
  return {{"source", r.energy_source},         {"device_joules", r.energy_joules},
          {"known_seconds", r.energy_seconds}, {"pue", r.pue},
          {"watt_hours", r.watt_hours()},      {"carbon_intensity", r.carbon_intensity},
          {"kg_co2e", r.carbon_kg()}};
}

}  // namespace

double TrainResult::mfu() const {
  if (peak_flops <= 0 || seconds <= 0) return kNotANumber;
  return flops_per_token * tokens_per_second / peak_flops;
}

Rows result_rows(const TrainResult& r) {
  Rows rows = {{"steps", concat(r.steps)}, {"tokens", human_count(static_cast<double>(r.tokens))}};
  if (std::isfinite(r.loss)) rows.emplace_back("loss", formatted("%.4f", r.loss));
  if (std::isfinite(r.validation_loss)) {
    rows.emplace_back("validation loss", formatted("%.4f", r.validation_loss));
  }
  add_speed(r, rows);
  rows.emplace_back("memory of the process",
                    human_bytes(static_cast<double>(r.memory_bytes)) + ", at most " +
                        human_bytes(static_cast<double>(r.peak_memory_bytes)));
  add_energy(r, rows);
  return rows;
}

std::string describe_result(const TrainResult& r, bool json) {
  if (json) {
    const Json j = {
        {"steps", r.steps},
        {"tokens", r.tokens},
        {"loss", number_or_null(r.loss)},
        {"validation_loss", number_or_null(r.validation_loss)},
        {"seconds", r.seconds},
        {"tokens_per_second", r.tokens_per_second},
        {"flops_per_token", r.flops_per_token},
        {"flops_per_second", r.tokens_per_second * r.flops_per_token},
        {"mfu", number_or_null(r.mfu())},
        {"peak_flops_per_second", r.peak_flops > 0 ? Json(r.peak_flops) : Json(nullptr)},
        {"peak_source", r.peak_source},
        {"data_wait", r.data_wait},
        {"memory_bytes", r.memory_bytes},
        {"peak_memory_bytes", r.peak_memory_bytes},
        {"wall_seconds", r.wall_seconds},
        {"energy", energy_json(r)},
        {"interrupted", r.interrupted}};
    return j.dump() + "\n";
  }
  std::string text;
  for (const auto& [name, value] : result_rows(r)) {
    text += name + std::string(name.size() < 28 ? 28 - name.size() : 0, ' ') + " " + value + "\n";
  }
  return text;
}

}  // namespace llmtool
