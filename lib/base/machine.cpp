#include "lib/base/machine.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>

namespace llmtool {

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

int64_t available_memory() {
  int64_t bytes = std::numeric_limits<int64_t>::max();
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("MemTotal:")) bytes = 1024 * std::strtoll(line.c_str() + 9, nullptr, 10);
  }
  // Version 2 says "max" where there is no limit, version 1 a number beyond any memory.
  for (const char* limit :
       {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::ifstream of_group(limit);
    int64_t most = 0;
    if (of_group >> most && most > 0) bytes = std::min(bytes, most);
  }
  return bytes;
}

MemoryUse memory_use() {
  MemoryUse use;
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const int64_t bytes = 1024 * std::strtoll(line.c_str() + colon + 1, nullptr, 10);
    if (line.starts_with("VmRSS")) use.resident = bytes;
    if (line.starts_with("VmHWM")) use.peak = bytes;
  }
  return use;
}

}  // namespace llmtool
