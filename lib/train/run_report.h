// report.html of a run: what metrics.jsonl says, for people. The page is a function of the lines
// alone, so that it can be made again at any time (`llmtool report`).
#pragma once

#include <string>

#include "lib/base/file.h"
#include "lib/train/run_history.h"

namespace llmtool {

// See lib/report/page.h for what a page is.
std::string run_report(const RunHistory& history, const std::string& name);

// What the report calls a run: the name of its folder.
std::string report_name(const fs::path& run);

// The history of the run in a folder. Throws Fault::kIo if there is no metrics.jsonl, Fault::kInput
// if there is no line in it.
RunHistory read_history(const fs::path& run);

}  // namespace llmtool
