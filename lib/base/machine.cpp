#include "lib/base/machine.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>

namespace llmtool {
namespace {

// The least number in `file` of the group and those above it; a file may say "max", or be absent.
int64_t least_limit(const std::string& root, std::string group, const char* file) {
  int64_t least = std::numeric_limits<int64_t>::max();
  while (true) {
    std::ifstream of_group(root + group + "/" + file);
    int64_t limit = 0;
    if (of_group >> limit && limit > 0) least = std::min(least, limit);
    if (group.empty()) return least;
    group.resize(group.rfind('/') == std::string::npos ? 0 : group.rfind('/'));
  }
}

}  // namespace

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
    if (line.starts_with("MemAvailable:")) {
      bytes = 1024 * std::strtoll(line.c_str() + 13, nullptr, 10) + memory_use().resident;
    }
  }
  // "0::/a/b" for cgroups of version 2, "7:memory:/a/b" for version 1.
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (controllers.empty()) {
      bytes = std::min(bytes, least_limit("/sys/fs/cgroup", group, "memory.max"));
    } else if (controllers == "memory") {
      bytes = std::min(bytes, least_limit("/sys/fs/cgroup/memory", group, "memory.limit_in_bytes"));
    }
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
