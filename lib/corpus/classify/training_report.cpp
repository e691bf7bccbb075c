#include "lib/corpus/classify/training_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lib/base/error.h"
#include "lib/base/formatted.h"
#include "lib/base/progress.h"
#include "lib/report/curve.h"
#include "lib/report/histogram.h"
#include "lib/report/page.h"
#include "lib/report/plot.h"
#include "lib/report/table.h"

namespace llmtool {
namespace {

using json = nlohmann::ordered_json;

constexpr size_t kMostPoints = 400;  // of the curve in report.json
constexpr size_t kBins = 50;

double share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::string percent(double value) {
  return formatted("%.2f%%", 100 * value);
}

struct Totals {
  uint64_t learnt = 0, held_out = 0, right = 0;
};

Totals totals_of(const TrainingReport& report) {
  Totals all;
  for (const LabelFigures& label : report.labels) {
    all.learnt += label.learnt;
    all.held_out += label.held_out;
    all.right += label.right;
  }
  return all;
}

uint64_t others_of(const TrainingReport& report) {
  return static_cast<uint64_t>(std::ranges::count(report.scores, false, &ScoredDocument::wanted));
}

json point_json(const ThresholdPoint& point) {
  return {{"threshold", point.threshold},     {"precision", point.precision},
          {"recall", point.recall},           {"f1", point.f1},
          {"kept_wanted", point.kept_wanted}, {"kept_other", point.kept_other}};
}

std::string labels_html(const TrainingReport& report) {
  std::vector<std::vector<std::string>> rows;
  for (const LabelFigures& label : report.labels) {
    rows.push_back({label.label, concat(label.learnt), concat(label.held_out),
                    percent(share(label.right, label.named)),
                    percent(share(label.right, label.held_out))});
  }
  return section("Labels, by the best one",
                 grid_table({"label", "learnt", "held out", "precision", "recall"}, rows));
}

std::string curve_html(const TrainingReport& report) {
  Curve precision, recall, f1;
  for (size_t i = report.curve.size(); i-- > 0;) {
    const ThresholdPoint& point = report.curve[i];
    precision.add(point.threshold, point.precision);
    recall.add(point.threshold, point.recall);
    f1.add(point.threshold, point.f1);
  }
  Plot plot;
  plot.title = concat("Kept at a score of '", report.target, "' of at least ...");
  plot.x_label = "threshold";
  plot.series = {{"precision", &precision}, {"recall", &recall}, {"F1", &f1}};
  plot.from_zero = true;
  plot.percent = true;
  if (report.chosen) {
    plot.marks = {{report.curve[*report.chosen].threshold, "chosen"}};
  }
  return plot_figure(plot);
}

std::string scores_html(const TrainingReport& report, bool wanted) {
  HistogramPlot plot;
  plot.title = wanted ? concat("Scores of held-out '", report.target, "'") : "Scores of the others";
  plot.counts.assign(kBins, 0);
  for (size_t i = 0; i <= kBins; ++i) {
    plot.edges.push_back(static_cast<double>(i) / static_cast<double>(kBins));
  }
  for (const ScoredDocument& document : report.scores) {
    if (document.wanted != wanted) continue;
    const auto bin = static_cast<size_t>(document.score * static_cast<double>(kBins));
    ++plot.counts[std::min(bin, kBins - 1)];
  }
  if (report.chosen) plot.marks = {{report.curve[*report.chosen].threshold, "chosen"}};
  return histogram_figure(plot);
}

std::string target_html(const TrainingReport& report) {
  std::string html = tiles(
      {{"area under ROC", formatted("%.4f", area_under_roc(report.curve, others_of(report)))}});
  if (report.chosen) {
    const ThresholdPoint& point = report.curve[*report.chosen];
    html += tiles({{"threshold", formatted("%.4g", point.threshold)},
                   {"precision", percent(point.precision)},
                   {"recall", percent(point.recall)},
                   {"F1", percent(point.f1)}});
    html += facts_table({{"chosen by", report.goal}});
  } else {
    html += facts_table({{"threshold", concat("none reaches: ", report.goal)}});
  }
  html += curve_html(report) + scores_html(report, true) + scores_html(report, false);
  return section(concat("'", report.target, "' against the rest"), html);
}

}  // namespace

std::string training_json(const TrainingReport& report) {
  const Totals all = totals_of(report);
  json labels = json::array();
  for (const LabelFigures& label : report.labels) {
    labels.push_back({{"label", label.label},
                      {"learnt", label.learnt},
                      {"held_out", label.held_out},
                      {"precision", share(label.right, label.named)},
                      {"recall", share(label.right, label.held_out)}});
  }
  json j = {{"model", report.model},      {"seconds", report.seconds},
            {"learnt", all.learnt},       {"held_out", all.held_out},
            {"empty", report.empty},      {"accuracy", share(all.right, all.held_out)},
            {"labels", std::move(labels)}};
  if (report.target.empty()) return j.dump(1);
  j["target"] = report.target;
  j["area_under_roc"] = area_under_roc(report.curve, others_of(report));
  j["goal"] = report.goal;
  j["chosen"] = report.chosen ? point_json(report.curve[*report.chosen]) : json();
  j["curve"] = json::array();
  const size_t step = std::max<size_t>(1, report.curve.size() / kMostPoints);
  for (size_t i = 0; i < report.curve.size(); i += step) {
    j["curve"].push_back(point_json(report.curve[i]));
  }
  return j.dump(1);
}

std::string training_summary(const TrainingReport& report) {
  const Totals all = totals_of(report);
  std::string text = concat(report.model, ": ", report.labels.size(), " labels from ", all.learnt,
                            " texts, ", human_seconds(report.seconds), "\n");
  text += concat("held out: ", all.held_out, " texts, ", percent(share(all.right, all.held_out)),
                 " named rightly\n");
  if (report.target.empty()) return text;
  if (!report.chosen) return text + concat("no threshold reaches: ", report.goal, "\n");
  const ThresholdPoint& point = report.curve[*report.chosen];
  return text + concat("'", report.target, "' at a score of at least ",
                       formatted("%.4g", point.threshold), " (", report.goal, "): precision ",
                       percent(point.precision), ", recall ", percent(point.recall), ", F1 ",
                       percent(point.f1), "\n");
}

void write_training_report(const fs::path& folder, const TrainingReport& report) {
  const Totals all = totals_of(report);
  Page page("llmtool classify train");
  page.set_subtitle(report.model);
  page.add(tiles({{"texts learnt", human_count(static_cast<double>(all.learnt))},
                  {"held out", human_count(static_cast<double>(all.held_out))},
                  {"named rightly", percent(share(all.right, all.held_out))},
                  {"time", human_seconds(report.seconds)}}));
  if (!report.target.empty()) page.add(target_html(report));
  page.add(labels_html(report));
  write_file(folder / "report.json", training_json(report) + "\n");
  write_file(folder / "report.html", page.html());
}

}  // namespace llmtool
