// Near deduplication by MinHash and locality-sensitive hashing: documents with a band in common
// (and, with a check, enough shingles) are joined; of each cluster one stays.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/corpus/dedup/document_log.h"
#include "lib/corpus/dedup/keep_rule.h"
#include "lib/corpus/dedup/near_clusters.h"
#include "lib/corpus/dedup/near_settings.h"
#include "lib/corpus/dedup/removals.h"
#include "lib/corpus/step.h"

namespace llmtool {

class NearDedup : public Step {
 public:
  // Fault::kUsage for settings that do not go together.
  explicit NearDedup(const NearDedupOptions& options);
  ~NearDedup() override;

  std::string name() const override { return "dedup near"; }
  std::vector<StepFile> files() const override {
    return {{StepFile::Use::kWritten, options_.clusters}, {StepFile::Use::kGrown, options_.index}};
  }
  Step* observer() override;
  void conclude(StepResources& resources) override;
  void start(StepResources& resources) override;
  bool in_order() const override { return true; }
  void decide(Document& document, Tally& tally) override;
  void finish(StepResources& resources) override;
  std::vector<Fact> facts() const override;
  std::string report_html() const override;

 private:
  class Observer;
  fs::path index_before(StepResources& resources) const;
  void write_index(StepResources& resources) const;

  NearDedupOptions options_;
  NearSettings settings_;
  KeepRule keep_;
  std::unique_ptr<Observer> observer_;

  fs::path index_;  // the state before the run
  std::unique_ptr<RemovalReader> removals_;
  std::unique_ptr<DocumentLogReader> documents_;
  ClusterStats stats_;
};

}  // namespace llmtool
