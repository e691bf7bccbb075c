#include "lib/train/run_history.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "lib/base/formatted.h"

namespace llmtool {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kCurves[] = {
    "loss", "validation_loss", "lr", "grad_norm", "tokens_per_second", "mfu", "memory_bytes"};

// Settings may have been edited by hand: what is of another type counts as not there too.
double number_in(const Json& json, const char* key, double otherwise) {
  const auto it = json.find(key);
  const bool there = it != json.end() && it->is_number() && counts(it->get<double>());
  return there ? it->get<double>() : otherwise;
}

std::string text_in(const Json& json, const char* key) {
  const auto it = json.find(key);
  return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
}

// Takes over a number that the line has.
template <class T>
void take(const MetricsLine& line, const char* key, T& value) {
  const double v = line.number(key);
  if (counts(v)) value = static_cast<T>(v);
}

}  // namespace

const Curve& RunHistory::curve(const std::string& key) const {
  static const Curve none;
  const auto it = curves_.find(key);
  return it == curves_.end() ? none : it->second;
}

void RunHistory::add(const MetricsLine& line) {
  last_time_ = line.time;
  result_.steps = line.step;
  take(line, "wall_seconds", result_.wall_seconds);
  take(line, "energy_joules", result_.energy_joules);
  take(line, "energy_seconds", result_.energy_seconds);
  take(line, "memory_bytes", result_.memory_bytes);
  take(line, "peak_memory_bytes", result_.peak_memory_bytes);
  take(line, "tokens", result_.tokens);
  take(line, "loss", result_.loss);
  take(line, "validation_loss", result_.validation_loss);
  for (const char* key : kCurves) {
    if (counts(line.number(key))) {
      curves_[key].add(static_cast<double>(line.step), line.number(key));
    }
  }
  if (const std::string* name = line.text("event")) add_event(line, *name);
  if (const std::string* text = line.text("sample")) {
    samples_.push_back({line.step, *text});
    if (samples_.size() > kMostSamples) {
      samples_.erase(samples_.begin() + 1);  // the first stays, to compare with
      ++samples_left_out_;
    }
  }
  if (counts(line.number("validation_loss"))) {
    keep_event(
        {line.step, line.time, "validation", formatted("loss %.4f", result_.validation_loss)});
  }
  if (counts(line.number("seconds"))) add_step(line);
}

void RunHistory::add_step(const MetricsLine& line) {
  const double seconds = line.number("seconds"), wait = line.number("data_wait");
  const double rate = line.number("tokens_per_second");
  result_.seconds += seconds;
  if (counts(rate)) part_tokens_ += std::round(rate * seconds);
  if (counts(wait)) part_wait_ += wait * seconds;
  if (result_.seconds <= 0) return;
  result_.tokens_per_second = part_tokens_ / result_.seconds;
  result_.data_wait = part_wait_ / result_.seconds;
}

void RunHistory::add_event(const MetricsLine& line, const std::string& name) {
  if (name == "start" || name == "resume") begin_part(line);
  const std::string* detail = line.text("detail");
  const Event event{line.step, line.time, name, detail != nullptr ? *detail : std::string()};
  if (name != "checkpoint") {
    state_ = event;
    result_.interrupted = name == "interrupted";
  }
  keep_event(event);
}

void RunHistory::begin_part(const MetricsLine& line) {
  settings_ = line.settings;
  part_tokens_ = part_wait_ = 0;
  result_.seconds = result_.tokens_per_second = result_.data_wait = 0;
  const Json json = Json::parse(settings_, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return;
  TrainResult& r = result_;
  r.steps_wanted = static_cast<int64_t>(number_in(json, "steps", 0));
  r.flops_per_token = number_in(json, "flops_per_token", 0);
  r.peak_flops = number_in(json, "peak_flops_per_second", 0);
  r.peak_source = text_in(json, "peak_source");
  r.energy_source = text_in(json, "energy_source");
  r.pue = number_in(json, "pue", r.pue);
  r.carbon_intensity = number_in(json, "carbon_intensity", r.carbon_intensity);
}

// The first events stay: how the run began.
void RunHistory::keep_event(Event event) {
  events_.push_back(std::move(event));
  if (events_.size() <= kMostEvents) return;
  events_.erase(events_.begin() + kMostEvents / 10);
  ++events_left_out_;
}

}  // namespace llmtool
