// What a training came to, on the texts that were held out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/base/file.h"
#include "lib/corpus/classify/threshold.h"

namespace llmtool {

struct LabelFigures {
  std::string label;
  uint64_t learnt = 0, held_out = 0;
  uint64_t named = 0, right = 0;  // held-out texts whose best label it is, and rightly so
};

struct TrainingReport {
  std::string model;  // the file
  std::vector<LabelFigures> labels;
  uint64_t empty = 0;  // texts without a word
  double seconds = 0;

  // Of one label against all others; only if there is one whose score counts.
  std::string target;
  std::vector<ScoredDocument> scores;
  std::vector<ThresholdPoint> curve;
  std::optional<size_t> chosen;
  std::string goal;  // "largest F1"
};

std::string training_json(const TrainingReport& report);
std::string training_summary(const TrainingReport& report);  // a few lines for a terminal

// folder/report.json and folder/report.html.
void write_training_report(const fs::path& folder, const TrainingReport& report);

}  // namespace llmtool
