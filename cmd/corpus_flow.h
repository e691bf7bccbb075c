// The flow of documents through steps: the flags that all corpus commands share, and the run.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lib/corpus/step.h"

namespace CLI {
class App;
}

namespace llmtool {

struct CorpusFlow {
  std::vector<std::string> inputs = {"-"};
  std::string output = "-";
  std::string format = "auto", fallback_format = "jsonl", text_field = "text";
  std::string rejected, report, work, shard = "0/1";
  uint64_t memory = uint64_t{2} << 30;
  double checkpoint_every = 20;
  int threads = 0;
  bool skip_bad = false, resume = false, overwrite = false, json = false;
};

// writes: the command has documents to write.
void add_corpus_flow(CLI::App& app, CorpusFlow& flow, bool writes = true);

// Runs the steps, writes the report and the manifest, and tells what came of it. settings: all that
// the steps were set to (see PipelineOptions).
void run_corpus_flow(const CorpusFlow& flow, std::vector<std::unique_ptr<Step>> steps,
                     const std::string& settings, const CLI::App& app);

// Every flag of app that is not of the flow, with its value: settings for run_corpus_flow().
std::string step_settings(const CLI::App& app);

}  // namespace llmtool
