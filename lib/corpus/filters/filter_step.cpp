#include "lib/corpus/filters/filter_step.h"

namespace llmtool {

FilterStep::FilterStep(const FilterSettings& settings)
    : mark_(settings.mark), checks_(make_filter_checks(settings)) {
  size_t figure = 0;
  for (const auto& one : checks_) {
    first_figure_.push_back(figure);
    figure += one->figures().size();
  }
}

std::vector<Figure> FilterStep::figures() const {
  std::vector<Figure> all;
  for (const auto& one : checks_) {
    for (Figure& figure : one->figures()) all.push_back(std::move(figure));
  }
  return all;
}

void FilterStep::start(StepResources& resources) {
  analyses_.clear();
  for (int i = 0; i < resources.threads; ++i) analyses_.push_back(std::make_unique<TextAnalysis>());
}

void FilterStep::work(Document& document, Tally& tally, int thread) {
  TextAnalysis& text = *analyses_.at(static_cast<size_t>(thread));
  text.reset(document.text);
  for (size_t i = 0; i < checks_.size() && !document.rejected; ++i) {
    FilterContext context{text, tally, first_figure_[i], mark_};
    checks_[i]->apply(document, context);
  }
}

}  // namespace llmtool
