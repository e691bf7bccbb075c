// metrics.jsonl of a run: one JSON object a line. A resumed run drops the lines after its step
// first, and a last line that was cut off.
#pragma once

#include <cstdint>
#include <cstdio>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lib/base/file.h"

namespace llmtool {

class Metrics {
 public:
  Metrics(const fs::path& path, int64_t last_step);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // What the file said of `last_step` when it was opened: whether it has the key, and its number
  // (NaN if there is none).
  bool was_written(const std::string& key) const { return resumed_.contains(key); }
  double resumed(const char* key) const;

  using Number = std::pair<const char*, double>;
  void write(int64_t step, const std::vector<Number>& numbers);
  void write_text(int64_t step, const char* key, const std::string& text);

 private:
  static constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

  // The lines up to and including a step; fills resumed_.
  std::string lines_until(int64_t last_step);
  void append(const std::string& line);

  std::map<std::string, double> resumed_;
  fs::path path_;
  std::FILE* file_;
};

}  // namespace llmtool
