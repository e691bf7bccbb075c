// What a pipeline did, for people and programs.
#pragma once

#include <string>

#include "lib/base/file.h"
#include "lib/corpus/pipeline.h"

namespace llmtool {

// One object: documents and bytes read and written, speed, and for each step counts by rule,
// changes and histograms.
std::string pipeline_json(const PipelineResult& result);

// Lines for a terminal: a row for each step, and under it what was dropped and changed.
std::string pipeline_table(const PipelineResult& result);

// folder/report.json and folder/report.html.
void write_pipeline_report(const fs::path& folder, const std::string& command,
                           const PipelineResult& result);

}  // namespace llmtool
