// A folder of a test's own, removed when the test ends.
#pragma once

#include <filesystem>
#include <stdlib.h>
#include <string>

#include "lib/base/error.h"

namespace llmtool {

class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "llmtool_test_XXXXXX").string();
    check(mkdtemp(name.data()) != nullptr, Fault::kIo, "cannot make ", name);
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace llmtool
