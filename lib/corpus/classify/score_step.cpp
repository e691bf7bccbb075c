#include "lib/corpus/classify/score_step.h"

#include <algorithm>
#include <cmath>

#include "lib/base/error.h"
#include "lib/corpus/classify/model_note.h"
#include "lib/corpus/classify/text_classifier.h"

namespace llmtool {
namespace {

struct Workspace {
  std::string excerpt, prepared;
  TextClassifier::Scratch scratch;
  std::vector<LabelScore> found;
};

class ScoreStep : public Step {
 public:
  explicit ScoreStep(const ScoreOptions& options)
      : options_(options), model_(options.model), note_(read_note(model_, options.model.string())) {
    if (options_.form) note_.form = *options_.form;
    if (!options_.label.empty()) note_.label = options_.label;
    label_ = place_of(note_.label);
    if (!options_.use_threshold) return;
    if (!note_.threshold) {
      fail(Fault::kUsage, concat("'", options_.model.string(), "' says no threshold"),
           "give --min-score");
    }
    options_.min_score = note_.threshold;
  }

  std::string name() const override { return "classify score"; }

  std::vector<Figure> figures() const override {
    Figure score;
    score.name = options_.name;
    score.at_least = options_.min_score;
    return {score};
  }

  void start(StepResources& resources) override {
    spaces_ = std::vector<Workspace>(static_cast<size_t>(resources.threads));
  }

  void work(Document& document, Tally& tally, int thread) override {
    const double score =
        rounded_score(score_of(document.text, spaces_[static_cast<size_t>(thread)]));
    document.attributes.push_back({options_.name, json_number(score)});
    tally.record(0, score, document);
    if (options_.min_score && score < *options_.min_score) {
      reject(document, "classify." + options_.name, json_number(score),
             concat(">= ", json_number(*options_.min_score)));
    }
  }

  std::vector<Fact> facts() const override {
    return {fact("model", options_.model.string()), fact("label", note_.label),
            fact("text", std::string(name_of(note_.form)))};
  }

 private:
  int place_of(const std::string& label) const {
    const std::vector<std::string>& labels = model_.labels();
    const auto at = std::ranges::find(labels, label);
    if (at != labels.end()) return static_cast<int>(at - labels.begin());
    constexpr size_t kShown = 20;
    std::string known;
    for (size_t i = 0; i < std::min(labels.size(), kShown); ++i) known += " " + labels[i];
    fail(Fault::kUsage,
         label.empty() ? concat("'", options_.model.string(), "' does not say whose score counts")
                       : concat("'", options_.model.string(), "' has no label '", label, "'"),
         concat("give --label, one of:", known, labels.size() > kShown ? " ..." : ""));
  }

  float score_of(std::string_view text, Workspace& w) const {
    prepare_text(excerpt_of(text, options_.max_bytes, w.excerpt), note_.form, w.prepared);
    model_.predict(w.prepared, model_.labels().size(), w.scratch, w.found);
    for (const LabelScore& found : w.found) {
      if (found.label == label_) return found.score;
    }
    return 0;
  }

  ScoreOptions options_;
  TextClassifier model_;
  ModelNote note_;
  int label_ = 0;
  std::vector<Workspace> spaces_;
};

}  // namespace

std::unique_ptr<Step> make_score_step(const ScoreOptions& options) {
  return std::make_unique<ScoreStep>(options);
}

double rounded_score(float score) {
  constexpr double kUnit = 1e6;
  return std::round(std::min(static_cast<double>(score), 1.0) * kUnit) / kUnit;
}

}  // namespace llmtool
