// The step `license scan`: the licence of each document, by what it says itself and by what it
// inherits from the tree it lies in.
#pragma once

#include <memory>
#include <string>

#include "lib/base/file.h"
#include "lib/corpus/step.h"

namespace llmtool {

struct LicenseScanOptions {
  std::string path_member = "metadata.path";  // where the file lies in its tree
  std::string repo_member = "metadata.tree";  // which tree; a document without it is in one
  fs::path notices;                           // a file for the texts of licence files, or empty
};

std::unique_ptr<Step> make_license_scan(const LicenseScanOptions& options);

}  // namespace llmtool
