// What the machine is and what this process takes of it, for reports.
#pragma once

#include <cstdint>
#include <string>

namespace llmtool {

// As /proc/cpuinfo spells it; "unknown" where there is none.
std::string cpu_model();

// Bytes of memory that this process may come to in all: what it has and what the machine has left,
// or the limit of its cgroup or of one above, if that is less.
int64_t available_memory();

// Memory of this process on the host, in bytes, as /proc/self/status has it.
struct MemoryUse {
  int64_t resident = 0, peak = 0;
};
MemoryUse memory_use();

}  // namespace llmtool
