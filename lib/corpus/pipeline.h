// Runs corpus steps over inputs: streaming, in bounded memory, on all threads, restartable, with
// the same output bytes at any number of threads, any memory and after any kill.
//
// The inputs are read in blocks of whole records. Steps that need every document first (observer())
// cut the chain into passes; between two of them the documents lie in a file in the work folder, or
// are read from the inputs again if nothing stands before the step and the inputs are files. A
// checkpoint is written between blocks: where in the inputs, how long each output and each log is,
// and all counts.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lib/corpus/checkpoint.h"
#include "lib/corpus/step_stats.h"
#include "lib/io/corpus_reader.h"

namespace llmtool {

struct PipelineOptions {
  std::vector<std::string> inputs;  // as list_inputs() takes them
  CorpusReader::Options reader;     // block_bytes and skip_bad are set by the pipeline
  std::string text_field = "text";
  // A file (.gz, .zst, .parquet), one for each value of a member (see OutputName), "-", or empty:
  // no documents are written.
  std::string output;
  std::string rejected;  // a folder, or empty
  bool samples = false;  // keep documents from both sides of each threshold
  uint64_t shard = 0, shards = 1;
  size_t memory = size_t{2} << 30;
  bool skip_bad = false;
  bool resume = false;     // go on with the run in the work folder
  bool overwrite = false;  // replace what is there, finished or not
  double checkpoint_seconds = 20;
  // Where `<name of output>.work` lies; empty: beside the output. For pipes, where the temporary
  // folder lies.
  fs::path work;
  // Files and folders that are not read where they lie inside a folder of the inputs; the outputs
  // are among them anyway.
  std::vector<std::string> not_read;
  // With resume and no run to go on with: whether the run of that fingerprint has ended and all
  // that it wrote is there.
  std::function<bool(const std::string& fingerprint)> has_ended;
  // Called when all is done and before the work folder goes: what it writes is not lost to a kill.
  std::function<void(const struct PipelineResult&)> on_result;
  std::string settings;  // all that the steps were set to; a run goes on only with the same
};

struct PipelineResult {
  std::vector<StepStats> steps;
  std::vector<StepFindings> findings;  // of each step
  DocumentCount read, written;
  uint64_t bad_records = 0;
  std::string first_bad;              // "file:line: reason"
  std::vector<std::string> problems;  // of files, the first hundred
  uint64_t problem_count = 0;
  uint64_t repeated_id_count = 0;         // documents whose id an earlier one had
  std::vector<std::string> repeated_ids;  // "file:line: ...", the first hundred
  uint64_t input_bytes = 0;               // as the files lie there
  double seconds = 0;                     // of this process
  bool resumed = false;
  bool had_ended = false;   // has_ended() said so: nothing was done, and nothing else is set
  std::string fingerprint;  // of inputs, settings and names of outputs
  std::vector<fs::path> outputs;
  // With an output of many files: those that were there before and are none of this run's.
  std::vector<fs::path> older_outputs;
};

// What there is to show while it runs.
struct PipelineProgress {
  std::function<void(std::string_view label, uint64_t total)> begin;  // a pass; bytes
  std::function<void(uint64_t consumed)> advance;
};

// Throws what the steps throw, and Fault::kUsage if there is an output or an unfinished run
// already. A run that fails or is interrupted can be gone on with (resume) if its inputs are files;
// one that has ended has nothing left to do.
PipelineResult run_pipeline(std::vector<std::unique_ptr<Step>>& steps,
                            const PipelineOptions& options, ThreadPool& pool,
                            const PipelineProgress& progress = {});

}  // namespace llmtool
