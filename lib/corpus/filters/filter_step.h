// The step of `llmtool filter`: the checks of its rules, one after another, until one rejects.
#pragma once

#include "lib/corpus/filters/rule.h"

namespace llmtool {

class FilterStep : public Step {
 public:
  // Fault::kUsage for unknown rules and thresholds that make no sense, Fault::kIo and kInput for
  // lists that cannot be read.
  explicit FilterStep(const FilterSettings& settings);

  std::string name() const override { return "filter"; }
  std::vector<Figure> figures() const override;
  void start(StepResources& resources) override;
  void work(Document& document, Tally& tally, int thread) override;

 private:
  bool mark_;
  std::vector<std::unique_ptr<FilterCheck>> checks_;
  std::vector<size_t> first_figure_;                     // of each check
  std::vector<std::unique_ptr<TextAnalysis>> analyses_;  // one for each thread
};

}  // namespace llmtool
