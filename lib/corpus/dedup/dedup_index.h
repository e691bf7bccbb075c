// What a dedup run leaves for later ones: a folder with data files and an index.json that says of
// what kind they are, with which settings they were made, their sizes and checksums. It is replaced
// as a whole, never changed in place.
#pragma once

#include <string>
#include <vector>

#include "lib/base/run_lock.h"
#include "lib/corpus/step.h"

namespace llmtool {

struct IndexKind {
  std::string format;  // "llmtool exact index"
  int version = 1;
  std::string settings;            // all that a later run must share: "unit=line normalise=ccnet"
  std::vector<std::string> files;  // the names of its data files
};

// The state of the index at the beginning of the run, kept in the step's folder (as links, where
// the file system has them), so that a run that goes on sees what it saw before. Empty if there was
// none. Fault::kInput for a folder that is no index, another version, other settings, and for a
// file that is missing, cut short or changed.
fs::path index_before_run(const fs::path& folder, const IndexKind& kind, StepResources& resources);

// Writes an index beside and puts it in place with commit().
// INDEX.lock beside the index: one process at a time makes a new one, others wait.
RunLock lock_index(const fs::path& index);

class IndexWriter {
 public:
  IndexWriter(const fs::path& index, IndexKind kind);
  ~IndexWriter();
  IndexWriter(const IndexWriter&) = delete;
  IndexWriter& operator=(const IndexWriter&) = delete;

  // Where to write the data file of this name.
  fs::path file(const std::string& name);
  // before: what index_before_run() returned. Fault::kInput if another run has changed the index
  // since; it is left as it is.
  void commit(const fs::path& before);

 private:
  fs::path index_, made_;
  RunLock lock_;
  IndexKind kind_;
  std::vector<std::string> names_;
};

}  // namespace llmtool
