// The folder where a run keeps what it needs to go on with: its checkpoint, the logs of its steps,
// documents between two passes, and the lock of who is at work.
#pragma once

#include <optional>

#include "lib/base/run_lock.h"
#include "lib/corpus/checkpoint.h"

namespace llmtool {

class WorkFolder {
 public:
  // Nothing is touched yet. A run that cannot be gone on with keeps no checkpoints, and its folder,
  // which is there and nobody else's, goes with this object.
  WorkFolder(fs::path path, bool keeps_checkpoints);
  ~WorkFolder();
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;

  const fs::path& path() const { return path_; }
  bool keeps_checkpoints() const { return keeps_checkpoints_; }

  bool has_checkpoint() const;  // of a run that has not ended
  // Of that run; empty if its checkpoint cannot be read.
  std::string fingerprint() const;
  // Both take the lock: Fault::kUsage if another process has it.
  Checkpoint resume();
  void begin(const Checkpoint& checkpoint);  // empties the folder

  void save(const Checkpoint& checkpoint) const;  // nothing if it keeps none
  void remove();
  // Of a run that was killed while it removed its folder. A folder with other files stays.
  void remove_rest();

 private:
  fs::path checkpoint() const { return path_ / "checkpoint.json"; }
  void clear() const;

  fs::path path_;
  bool keeps_checkpoints_;
  std::optional<RunLock> lock_;
};

}  // namespace llmtool
