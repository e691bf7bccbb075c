// metrics.jsonl of a run: one JSON object a line, "step" first and "time" (seconds since 1970)
// last. Three kinds of lines:
//   numbers   {"step": 7, "loss": 3.2, ...}     of a step, of a validation
//   a text    {"step": 7, "sample": "..."}
//   an event  {"step": 7, "event": "checkpoint", ...}; "start" and "resume" have "settings", an
//             object: what the run and the machine are from here on
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/file.h"

namespace llmtool {

// The numbers that count, of a file that anybody may have edited: finite, and below 2^62 either
// way, so that sums and whole numbers made of them are too. Others are as if they were not there.
bool counts(double number);

struct MetricsLine {
  int64_t step = 0;
  std::vector<std::pair<std::string, double>> numbers;     // null is NaN
  std::vector<std::pair<std::string, std::string>> texts;  // UTF-8
  std::string settings;                                    // a JSON object, or empty
  double time = 0;

  double number(std::string_view key) const;            // NaN if there is none
  const std::string* text(std::string_view key) const;  // null if there is none
  std::string json() const;                             // without the newline
};

// The lines of a file in order, with their text; what is no such line (one that was cut off) is
// left out. A file that is not there has none.
void read_metrics(const fs::path& path,
                  const std::function<void(const MetricsLine&, std::string_view text)>& each);

// Appends lines to a file; each is handed to the system when it is written.
class MetricsWriter {
 public:
  explicit MetricsWriter(const fs::path& path);
  ~MetricsWriter();
  MetricsWriter(const MetricsWriter&) = delete;
  MetricsWriter& operator=(const MetricsWriter&) = delete;

  void write(const MetricsLine& line);
  // Returns when what was written is on the disk.
  void sync();

 private:
  fs::path path_;
  std::FILE* file_;
};

}  // namespace llmtool
