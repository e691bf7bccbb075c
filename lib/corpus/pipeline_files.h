// Which files a pipeline writes, and whether they are in anybody's way.
#pragma once

#include <string>
#include <vector>

#include "lib/corpus/output_files.h"
#include "lib/corpus/pipeline.h"
#include "lib/corpus/step.h"

namespace llmtool {

// "03-dedup-exact"
std::string numbered_name(size_t number, std::string name);

class PipelineFiles {
 public:
  PipelineFiles(const PipelineOptions& options, const std::vector<std::unique_ptr<Step>>& steps);

  const OutputName& output() const { return output_; }
  const OutputName& no_name() const { return no_name_; }  // of a file that is not the output

  fs::path work_folder() const;
  // A new folder for a run that cannot be gone on with; who asks removes it.
  fs::path make_temporary() const;
  // For what a step drops, by its number + 1, or for what cannot be read (0): each shard has its
  // own.
  fs::path rejected(size_t i) const;

  // An index that is there, and that a step of this run adds to; empty if there is none.
  fs::path grown() const;
  // What steps write besides the documents.
  std::vector<fs::path> written_by_steps() const;

  // What outputs are called until they are whole.
  void remove_partial() const;

  // Files of an output of many files that are not among these.
  std::vector<fs::path> older_outputs(const std::vector<fs::path>& written) const;

  // What this run writes, or keeps, is none of its inputs when it walks a folder.
  bool is_own(const CorpusInput& input) const;

  // This build can read the inputs, and no output is one of them, in any spelling.
  void check_inputs(const std::vector<CorpusInput>& inputs) const;
  // No file is written twice, or read by one step and written by another.
  void check_steps() const;
  // Nothing would be replaced that nobody said may be.
  void check_free(const fs::path& work, bool has_checkpoint) const;

 private:
  fs::path manifest() const { return output_.folder() / "run.json"; }  // beside many outputs
  std::vector<fs::path> outputs() const;

  const PipelineOptions& options_;
  OutputName output_, no_name_{""};
  std::vector<std::string> steps_;  // their names
  std::vector<StepFile> step_files_;
};

}  // namespace llmtool
