// How well a score tells two kinds of documents apart, and where to cut.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace llmtool {

struct ScoredDocument {
  double score = 0;
  bool wanted = false;
};

// What happens if documents with a score of at least `threshold` are kept.
struct ThresholdPoint {
  double threshold = 0;
  uint64_t kept_wanted = 0, kept_other = 0;
  double precision = 0;  // of what is kept, the share that is wanted; 1 if nothing is kept
  double recall = 0;     // of what is wanted, the share that is kept
  double f1 = 0;         // 2 precision recall / (precision + recall); 0 if both are 0
};

// A point for each score that occurs, falling; empty without documents that are wanted.
std::vector<ThresholdPoint> threshold_curve(std::vector<ScoredDocument> documents);

// One of the three: the largest f1; the largest recall whose precision is at least that; the
// largest precision whose recall is at least that. Of equals the one with the higher threshold.
struct ThresholdGoal {
  std::optional<double> precision, recall;
};

// Its place in the curve; nothing if no point reaches the goal.
std::optional<size_t> choose_threshold(const std::vector<ThresholdPoint>& curve,
                                       const ThresholdGoal& goal);

// The point of the documents kept at a threshold that need not be in the curve.
ThresholdPoint at_threshold(const std::vector<ThresholdPoint>& curve, double threshold);

// The area under the curve of recall over the share of the others that is kept: how often a wanted
// document has the higher score of a pair, ties as one half. 0.5 if one side is empty.
double area_under_roc(const std::vector<ThresholdPoint>& curve, uint64_t others);

}  // namespace llmtool
