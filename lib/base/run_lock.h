// One process at a time writes into a folder. The lock is advisory (flock on a file in the folder)
// and ends with the process that holds it, however that ends.
#pragma once

#include "lib/base/file.h"

namespace llmtool {

class RunLock {
 public:
  static constexpr const char* kName = "run.lock";

  // Takes `folder`/run.lock. Throws Fault::kUsage, naming the process if it told, if another one
  // holds it. A file system without locks is warned about and not locked.
  explicit RunLock(const fs::path& folder) : RunLock(folder, kName, false) {}
  // Takes `folder`/`name`; waits for another process if `waits`.
  RunLock(const fs::path& folder, const std::string& name, bool waits);
  // Removes the file and lets go.
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  bool take(bool waits);  // false: the file was removed in between by who held it

  fs::path path_;
  int fd_ = -1;
};

}  // namespace llmtool
