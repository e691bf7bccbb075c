// The lines of metrics.jsonl as TensorBoard's events: one file in <run>/tensorboard that holds what
// the lines hold, no step more. See lib/io/event_file.h.
#pragma once

#include <memory>

#include "lib/io/event_file.h"
#include "lib/train/metrics.h"

namespace llmtool {

class TensorBoardLog {
 public:
  // Begins a new file, named by the time. Then add() the lines so far, then finish_past().
  TensorBoardLog(const fs::path& run, double time);

  void add(const MetricsLine& line);
  // Removes the files of earlier processes of the run: their lines are in this one.
  void finish_past();

 private:
  fs::path folder_, path_;
  std::unique_ptr<EventFile> file_;
};

}  // namespace llmtool
