// The file formats that llmtool reads and writes; registered beside the code that does. Listed by
// `llmtool list formats`.
#pragma once

#include <string>

#include "lib/base/catalog.h"

namespace llmtool {

struct Format {
  std::string name;
  std::string endings;  // ".gz"; empty if the name of a file does not tell
  std::string use;      // "read", "write", "read, write"
  std::string summary;  // what it holds, and whose it is
};

}  // namespace llmtool
