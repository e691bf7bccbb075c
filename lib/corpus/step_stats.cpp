#include "lib/corpus/step_stats.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "lib/base/error.h"
#include "lib/report/page.h"

namespace llmtool {

void fail_inputs_changed() {
  fail(Fault::kInput, "the inputs changed between the first and the second time they were read",
       "let whatever writes them end first, then start anew with --overwrite");
}
namespace {

using nlohmann::json;

constexpr size_t kSamples = 5;
constexpr size_t kExcerptBytes = 400;

// [0] at_least, [1] at_most.
constexpr size_t kThresholds = 2;

const std::optional<double>& threshold_of(const Figure& figure, size_t i) {
  return i == 0 ? figure.at_least : figure.at_most;
}

bool is_dropped(const Figure& figure, size_t i, double value) {
  const double threshold = *threshold_of(figure, i);
  return i == 0 ? value < threshold : value > threshold;
}

size_t bin_of(const Figure& figure, double value) {
  double place = (value - figure.low) / (figure.high - figure.low);
  if (figure.scale == Figure::Scale::kLog) {
    place =
        value <= figure.low ? 0 : std::log(value / figure.low) / std::log(figure.high / figure.low);
  }
  const double bin = std::floor(place * Histogram::kBins);
  return static_cast<size_t>(std::clamp(bin, 0.0, Histogram::kBins - 1.0));
}

template <class Sample>
void keep_nearest(double threshold, std::vector<Sample>& all, Sample sample) {
  const auto distance = [&](double value) { return std::fabs(value - threshold); };
  const auto further = [&](double value, const Sample& other) {
    return value < distance(other.value);
  };
  const auto at = std::upper_bound(all.begin(), all.end(), distance(sample.value), further);
  if (static_cast<size_t>(at - all.begin()) >= kSamples) return;
  all.insert(at, std::move(sample));
  if (all.size() > kSamples) all.pop_back();
}

using Samples = std::array<std::vector<ThresholdSample>, kThresholds>;

json as_json(const Samples& samples) {
  json list = json::array();
  for (size_t i = 0; i < kThresholds; ++i) {
    for (const ThresholdSample& s : samples[i]) {
      list.push_back({{"threshold", i == 0 ? "at_least" : "at_most"},
                      {"value", s.value},
                      {"id", s.id},
                      {"excerpt", s.excerpt}});
    }
  }
  return list;
}

Samples samples_of(const json& list) {
  Samples samples;
  for (const json& s : list) {
    samples[s.at("threshold") == "at_least" ? 0 : 1].push_back(
        {s.at("value"), s.at("id"), s.at("excerpt")});
  }
  return samples;
}

json count_json(const DocumentCount& count) {
  return {{"documents", count.documents}, {"bytes", count.bytes}};
}

DocumentCount count_of(const json& j) {
  return {j.at("documents"), j.at("bytes")};
}

json threshold_json(const std::optional<double>& threshold) {
  return threshold ? json(*threshold) : json();
}

json figure_json(const Figure& figure, const FigureStats& stats) {
  const Histogram& h = stats.histogram;
  return {{"name", figure.name},
          {"scale", figure.scale == Figure::Scale::kLog ? "log" : "linear"},
          {"low", figure.low},
          {"high", figure.high},
          {"at_least", threshold_json(figure.at_least)},
          {"at_most", threshold_json(figure.at_most)},
          {"count", h.count},
          {"not_finite", h.not_finite},
          {"sum", h.sum},
          {"least", h.least},
          {"greatest", h.greatest},
          {"bins", h.bins},
          {"kept_samples", as_json(stats.kept)},
          {"dropped_samples", as_json(stats.dropped)}};
}

void read_figure(const json& j, FigureStats& stats) {
  Histogram& h = stats.histogram;
  h.count = j.at("count");
  h.not_finite = j.at("not_finite");
  h.sum = j.at("sum");
  h.least = j.at("least");
  h.greatest = j.at("greatest");
  h.bins = j.at("bins");
  stats.kept = samples_of(j.at("kept_samples"));
  stats.dropped = samples_of(j.at("dropped_samples"));
}

json step_json(const StepStats& stats) {
  json rejected = json::object(), changed = json::object(), figures = json::array();
  for (const auto& [rule, count] : stats.rejected) rejected[rule] = count_json(count);
  for (const auto& [what, count] : stats.changed) {
    changed[what] = {
        {"times", count.times}, {"bytes", count.bytes}, {"documents", count.documents}};
  }
  for (size_t i = 0; i < stats.figures.size(); ++i) {
    figures.push_back(figure_json(stats.figures[i], stats.measured[i]));
  }
  return {{"step", stats.step},   {"in", count_json(stats.in)}, {"out", count_json(stats.out)},
          {"rejected", rejected}, {"changed", changed},         {"figures", figures}};
}

void read_step(const json& j, StepStats& stats) {
  check(j.at("step") == stats.step && j.at("figures").size() == stats.figures.size(), Fault::kInput,
        "the counts are of other steps");
  stats.in = count_of(j.at("in"));
  stats.out = count_of(j.at("out"));
  for (const auto& [rule, count] : j.at("rejected").items()) stats.rejected[rule] = count_of(count);
  for (const auto& [what, count] : j.at("changed").items()) {
    stats.changed[what] = {count.at("times"), count.at("bytes"), count.at("documents")};
  }
  for (size_t i = 0; i < stats.figures.size(); ++i) {
    read_figure(j.at("figures").at(i), stats.measured[i]);
  }
}

}  // namespace

double bin_edge(const Figure& figure, size_t i) {
  const double place = static_cast<double>(i) / Histogram::kBins;
  if (figure.scale == Figure::Scale::kLog) {
    return figure.low * std::pow(figure.high / figure.low, place);
  }
  return figure.low + (figure.high - figure.low) * place;
}

void Histogram::add(const Figure& figure, double value) {
  if (!std::isfinite(value)) {
    ++not_finite;
    return;
  }
  ++bins[bin_of(figure, value)];
  least = count == 0 ? value : std::min(least, value);
  greatest = count == 0 ? value : std::max(greatest, value);
  sum += value;
  ++count;
}

void Histogram::add(const Histogram& other) {
  for (size_t i = 0; i < kBins; ++i) bins[i] += other.bins[i];
  not_finite += other.not_finite;
  if (other.count == 0) return;
  least = count == 0 ? other.least : std::min(least, other.least);
  greatest = count == 0 ? other.greatest : std::max(greatest, other.greatest);
  sum += other.sum;
  count += other.count;
}

std::string stats_json(const std::vector<StepStats>& all) {
  json list = json::array();
  for (const StepStats& stats : all) list.push_back(step_json(stats));
  return list.dump(-1, ' ', false, json::error_handler_t::replace);
}

void read_stats(std::string_view text, std::vector<StepStats>& all) {
  try {
    const json list = json::parse(text);
    check(list.size() == all.size(), Fault::kInput, "the counts are of another number of steps");
    for (size_t i = 0; i < all.size(); ++i) read_step(list.at(i), all[i]);
  } catch (const json::exception& e) {
    fail(Fault::kInput, concat("the counts of the steps cannot be read: ", e.what()));
  }
}

BlockTally::BlockTally(const StepStats& total, bool keep_samples, bool keep_removed)
    : total_(total),
      keep_samples_(keep_samples),
      keep_removed_(keep_removed),
      stats_(total.step, {}),
      near_(keep_samples ? total.figures.size() : 0) {
  stats_.measured.resize(total.figures.size());
}

void BlockTally::record(size_t figure, double value, const Document& document) {
  const Figure& f = total_.figures[figure];
  stats_.measured[figure].histogram.add(f, value);
  if (!keep_samples_ || !std::isfinite(value)) return;
  for (size_t i = 0; i < kThresholds; ++i) {
    if (!threshold_of(f, i)) continue;
    auto& side = is_dropped(f, i, value) ? near_[figure].dropped[i] : near_[figure].kept[i];
    keep_nearest<Near>(*threshold_of(f, i), side, {value, &document});
  }
}

void BlockTally::change(std::string_view what, uint64_t count, uint64_t bytes,
                        std::string_view removed, const Document& document) {
  auto at = stats_.changed.find(std::string(what));
  if (at == stats_.changed.end()) at = stats_.changed.emplace(what, ChangeCount{}).first;
  at->second.times += count;
  at->second.bytes += bytes;
  const Document*& last = last_changed_[at->first];
  at->second.documents += last != &document;
  last = &document;
  if (keep_removed_ && !removed.empty()) {
    removed_.push_back({document.id, at->first, std::string(removed), where(document)});
  }
}

void BlockTally::leave(const Document& document) {
  if (document.rejected) {
    stats_.rejected[document.rejection.rule].add(document.text.size());
  } else {
    stats_.out.add(document.text.size());
  }
}

void BlockTally::merge_into(StepStats& total) const {
  total.in.add(stats_.in);
  total.out.add(stats_.out);
  for (const auto& [rule, count] : stats_.rejected) total.rejected[rule].add(count);
  for (const auto& [what, count] : stats_.changed) {
    ChangeCount& sum = total.changed[what];
    sum.times += count.times;
    sum.bytes += count.bytes;
    sum.documents += count.documents;
  }
  for (size_t i = 0; i < stats_.measured.size(); ++i) {
    total.measured[i].histogram.add(stats_.measured[i].histogram);
    if (!keep_samples_) continue;
    const auto add = [&](size_t k, std::vector<ThresholdSample>& all,
                         const std::vector<Near>& some) {
      for (const Near& near : some) {
        keep_nearest<ThresholdSample>(
            *threshold_of(total.figures[i], k), all,
            {near.value, near.document->id, shortened(near.document->text, kExcerptBytes)});
      }
    };
    for (size_t k = 0; k < kThresholds; ++k) {
      add(k, total.measured[i].kept[k], near_[i].kept[k]);
      add(k, total.measured[i].dropped[k], near_[i].dropped[k]);
    }
  }
}

}  // namespace llmtool
