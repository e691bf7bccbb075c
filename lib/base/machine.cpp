#include "lib/base/machine.h"

#include <cstdlib>
#include <fstream>

namespace llmtool {

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
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
