// metrics.jsonl of a run: one JSON object a line. A resumed run drops the lines after its step
// first.
#pragma once

#include <cstdint>
#include <cstdio>
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

  using Number = std::pair<const char*, double>;
  void write(int64_t step, const std::vector<Number>& numbers);
  void write_text(int64_t step, const char* key, const std::string& text);

 private:
  void append(const std::string& line);

  fs::path path_;
  std::FILE* file_;
};

}  // namespace llmtool
