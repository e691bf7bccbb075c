// Runs filter rules over one text, without an engine.
#pragma once

#include <map>
#include <string>

#include "lib/corpus/filters/filter_step.h"

namespace llmtool {

class KeptTally : public Tally {
 public:
  explicit KeptTally(std::vector<Figure> figures) : figures_(std::move(figures)) {}

  void record(size_t figure, double value, const Document&) override {
    recorded[figures_.at(figure).name] = value;
  }
  void change(std::string_view what, uint64_t count, uint64_t bytes, std::string_view gone,
              const Document&) override {
    counts[std::string(what)] += count;
    removed_bytes += bytes;
    removed += gone;
  }

  std::map<std::string, double> recorded;
  std::map<std::string, uint64_t> counts;
  uint64_t removed_bytes = 0;
  std::string removed;

 private:
  std::vector<Figure> figures_;
};

struct NoResources : StepResources {
  AppendLog& log(const std::string&) override { fail(Fault::kFailed, "no log"); }
};

struct FilterRun {
  Document document;
  KeptTally tally;
};

inline FilterRun run_filter(const FilterSettings& settings, Document document) {
  FilterStep step(settings);
  NoResources resources;
  step.start(resources);
  FilterRun run{std::move(document), KeptTally(step.figures())};
  step.work(run.document, run.tally, 0);
  return run;
}

inline FilterRun run_filter(const FilterSettings& settings, std::string text) {
  Document document;
  document.text = std::move(text);
  return run_filter(settings, std::move(document));
}

}  // namespace llmtool
