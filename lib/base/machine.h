// What the machine is, for reports.
#pragma once

#include <string>

namespace llmtool {

// As /proc/cpuinfo spells it; "unknown" where there is none.
std::string cpu_model();

}  // namespace llmtool
