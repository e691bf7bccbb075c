// Where a pipeline is between two blocks, as a file in its work folder.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lib/base/file.h"
#include "lib/corpus/fact.h"
#include "lib/corpus/step_stats.h"
#include "lib/io/corpus_reader.h"

namespace llmtool {

// What a step says of its own at its end.
struct StepFindings {
  std::vector<Fact> facts;
  std::string html;
};

struct Checkpoint {
  std::string fingerprint;  // of inputs and settings
  size_t pass = 0;
  bool pass_ended = false;
  CorpusPosition position;  // in the source of the pass
  uint64_t documents = 0;   // read in this pass
  uint64_t observed = 0;    // handed to its observer
  uint64_t first_pass_documents = 0;
  std::map<std::string, uint64_t> sizes;  // of outputs and logs, by name
  uint64_t input_bytes = 0;               // of the first pass, as the files lie there
  std::string stats;                      // stats_json()
  DocumentCount read, written;
  uint64_t bad_records = 0, problem_count = 0;
  std::string first_bad;
  std::vector<std::string> problems;
  uint64_t repeated_id_count = 0;
  std::vector<std::string> repeated_ids;
  // Of the steps that have ended, by number.
  std::map<size_t, StepFindings> findings;
};

void write_checkpoint(const fs::path& path, const Checkpoint& checkpoint);
// Fault::kInput if it is none.
Checkpoint read_checkpoint(const fs::path& path);

}  // namespace llmtool
