// The step of `llmtool classify score`: how much a document is like those of a label.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "lib/base/file.h"
#include "lib/corpus/classify/letters.h"
#include "lib/corpus/step.h"

namespace llmtool {

struct ScoreOptions {
  fs::path model = {};
  std::string name = "quality";  // of the attribute
  std::string label = {};        // whose score counts; empty: the one that the model's note says
  std::optional<TextForm> form = {};  // not given: the note's, else plain
  std::optional<double> min_score = {};
  bool use_threshold = false;  // min_score is the note's
  size_t max_bytes = 0;        // as LangOptions
};

// A document gets attributes.<name>: the model's score of the label, at most 1, rounded half away
// from zero to 6 decimals; 0 for a text of which the model knows nothing. Below min_score it is
// dropped as "classify.<name>". Fault::kUsage if the model has no such label or no threshold.
std::unique_ptr<Step> make_score_step(const ScoreOptions& options);

// That score.
double rounded_score(float score);

}  // namespace llmtool
