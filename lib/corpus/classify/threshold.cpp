#include "lib/corpus/classify/threshold.h"

#include <algorithm>

namespace llmtool {
namespace {

double share(uint64_t part, uint64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::vector<ThresholdPoint> threshold_curve(std::vector<ScoredDocument> documents) {
  const auto wanted = static_cast<uint64_t>(
      std::ranges::count_if(documents, [](const ScoredDocument& d) { return d.wanted; }));
  std::vector<ThresholdPoint> curve;
  if (wanted == 0) return curve;
  std::ranges::sort(documents, std::greater(), &ScoredDocument::score);
  ThresholdPoint point;
  for (size_t i = 0; i < documents.size(); ++i) {
    ++(documents[i].wanted ? point.kept_wanted : point.kept_other);
    if (i + 1 < documents.size() && documents[i + 1].score == documents[i].score) continue;
    point.threshold = documents[i].score;
    point.precision = share(point.kept_wanted, point.kept_wanted + point.kept_other);
    point.recall = share(point.kept_wanted, wanted);
    const double sum = point.precision + point.recall;
    point.f1 = sum > 0 ? 2 * point.precision * point.recall / sum : 0;
    curve.push_back(point);
  }
  return curve;
}

std::optional<size_t> choose_threshold(const std::vector<ThresholdPoint>& curve,
                                       const ThresholdGoal& goal) {
  std::optional<size_t> best;
  double best_value = -1;
  for (size_t i = 0; i < curve.size(); ++i) {
    const ThresholdPoint& point = curve[i];
    if (goal.precision && point.precision < *goal.precision) continue;
    if (goal.recall && point.recall < *goal.recall) continue;
    const double value = goal.precision ? point.recall : goal.recall ? point.precision : point.f1;
    if (value <= best_value) continue;
    best_value = value;
    best = i;
  }
  return best;
}

ThresholdPoint at_threshold(const std::vector<ThresholdPoint>& curve, double threshold) {
  ThresholdPoint found{threshold, 0, 0, 1, 0, 0};
  for (const ThresholdPoint& point : curve) {
    if (point.threshold < threshold) break;
    found = point;
  }
  found.threshold = threshold;
  return found;
}

double area_under_roc(const std::vector<ThresholdPoint>& curve, uint64_t others) {
  if (curve.empty() || others == 0) return 0.5;
  double area = 0, recall = 0;
  uint64_t kept = 0;
  for (const ThresholdPoint& point : curve) {
    area += share(point.kept_other - kept, others) * (recall + point.recall) / 2;
    kept = point.kept_other;
    recall = point.recall;
  }
  return area;
}

}  // namespace llmtool
