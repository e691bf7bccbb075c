// One pass of a pipeline: documents of one source through some steps into the output or a spool.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/ordered.h"
#include "lib/corpus/checkpoint.h"
#include "lib/corpus/growing_file.h"
#include "lib/corpus/id_check.h"
#include "lib/corpus/output_files.h"
#include "lib/corpus/pipeline.h"
#include "lib/corpus/work_folder.h"

namespace llmtool {

// What a step has of its own in the work folder.
class StepFolder final : public StepResources {
 public:
  // sizes: of the logs at the checkpoint, by "<folder name>/<log name>".
  StepFolder(const fs::path& work, const std::string& name,
             const std::map<std::string, uint64_t>& sizes);
  AppendLog& log(const std::string& name) override;
  // Of all logs, by the names that the constructor takes.
  std::vector<std::pair<std::string, uint64_t>> sizes() const;
  void sync();

 private:
  std::string name_;
  const std::map<std::string, uint64_t>& known_;
  std::map<std::string, std::unique_ptr<LogFile>> logs_;
};

struct PassStep {
  Step* step = nullptr;
  size_t number = 0;       // in the pipeline
  bool observing = false;  // step is the observer of that one
  StepFolder* folder = nullptr;
};

// Documents on their way.
struct PassBlock {
  CorpusBlock raw;
  std::vector<Document> documents;
  std::vector<BadRecord> bad;
  size_t bad_when_read = 0;  // of them; the others came to light later
  std::vector<std::string> problems;
  uint64_t repeated_id_count = 0;
  std::vector<std::string> repeated_ids;
  CorpusPosition after;
  uint64_t consumed = 0;
  uint64_t documents_after = 0, observed_after = 0;
  DocumentCount read, written;
  std::vector<std::unique_ptr<BlockTally>> tallies;  // of the steps of the pass; null: observing
  std::map<std::string, uint64_t> log_sizes;         // after this block
  std::map<std::string, std::string> output;         // by file; a single one has no name here
  std::vector<std::string> rejected;  // of the steps of the pipeline; [0]: of reading
};

struct PassPlace {
  bool is_first = false, is_last = false;
  // Nothing turns the bytes of a document into text before it is written or observed.
  bool needs_text = false;
  StepFolder* ids = nullptr;  // in the first pass
};

class PipelinePass {
 public:
  struct Sinks {
    OutputFiles* output = nullptr;  // or none
    bool is_spool = false;          // for the next pass
    // By number of the step + 1; [0]: records that cannot be read. Empty: nobody wants them.
    std::vector<std::unique_ptr<GrowingFile>> rejected;
  };

  PipelinePass(const PipelineOptions& options, CorpusReader& reader, std::vector<PassStep> steps,
               Sinks& sinks, std::vector<StepStats>& stats, Checkpoint& state,
               const WorkFolder& work, PassPlace place);

  void run(ThreadPool& pool, size_t window, const std::function<void(uint64_t)>& advance);
  // Writes where the pass is; nothing if the run has no checkpoints.
  void save();

 private:
  using Stage = StagedStream<PassBlock>::Stage;

  std::vector<Stage> stages();
  bool read(PassBlock& block);
  void parse(PassBlock& block, int thread);
  void number(PassBlock& block);
  void note_sizes(PassBlock& block, const StepFolder& folder) const;
  void work(PassBlock& block, size_t begin, size_t end, int thread);
  void decide(PassBlock& block, size_t place);
  void render(PassBlock& block) const;
  bool is_text(PassBlock& block, const Document& document) const;
  void render_rejected(PassBlock& block, Document& document, size_t number) const;
  void write(PassBlock& block);
  Tally& tally(PassBlock& block, size_t place);

  const PipelineOptions& options_;
  CorpusReader& reader_;
  std::vector<PassStep> steps_;
  Sinks& sinks_;
  std::vector<StepStats>& stats_;
  Checkpoint& state_;
  const WorkFolder& work_;
  PassPlace place_;
  std::optional<IdCheck> ids_;
  std::vector<DocumentParser> parsers_;  // one a thread
  uint64_t documents_, observed_;
  std::function<void(uint64_t)> advance_;
  std::chrono::steady_clock::time_point saved_ = std::chrono::steady_clock::now();
};

}  // namespace llmtool
