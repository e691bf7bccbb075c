// Prompts as JSON lines: {"id": any value, "prompt": "..."}, id optional.
#pragma once

#include <string>
#include <vector>

#include "lib/base/file.h"

namespace llmtool {

struct Prompt {
  std::string where;  // "file:line", for messages
  std::string id;     // as JSON; the line's number if the line has none
  std::string text;   // valid UTF-8
};

// A file, plain or compressed, or "-" for standard input. Blank lines are passed over. A line that
// is no such object is Fault::kInput with file:line.
std::vector<Prompt> read_prompts(const fs::path& path);

}  // namespace llmtool
