#include "lib/base/op.h"

#include <algorithm>
#include <cstring>
#include <tuple>

#include "lib/base/error.h"

// The linker defines both around the section that LLMTOOL_KERNEL fills.
extern "C" {
extern const llmtool::KernelEntry* const __start_llmtool_kernels[] __attribute__((weak));
extern const llmtool::KernelEntry* const __stop_llmtool_kernels[] __attribute__((weak));
}

namespace llmtool {
namespace {

// Ordered by op, device, and ISA from high to low, so that the first fit is the best.
const std::vector<KernelEntry>& table() {
  static const std::vector<KernelEntry> sorted = [] {
    std::vector<KernelEntry> t;
    for (auto p = __start_llmtool_kernels; p != __stop_llmtool_kernels; ++p) t.push_back(**p);
    std::sort(t.begin(), t.end(), [](const KernelEntry& a, const KernelEntry& b) {
      const int by_name = std::strcmp(a.op, b.op);
      return by_name != 0 ? by_name < 0 : std::tie(a.device, b.isa) < std::tie(b.device, a.isa);
    });
    return t;
  }();
  return sorted;
}

}  // namespace

std::vector<KernelEntry> registered_kernels() {
  return table();
}

const KernelEntry& find_kernel(const char* op, const Stream& stream) {
  const auto& t = table();
  auto it = std::lower_bound(t.begin(), t.end(), op, [](const KernelEntry& e, const char* name) {
    return std::strcmp(e.op, name) < 0;
  });
  for (; it != t.end() && std::strcmp(it->op, op) == 0; ++it) {
    if (it->device != stream.device) continue;
    if (stream.device == Device::kCuda || it->isa <= stream.isa) return *it;
  }
  fail(Fault::kDevice,
       concat(op, ": this build has no kernel for ", name_of(stream.device),
              stream.device == Device::kCpu ? concat(" at ", name_of(stream.isa)) : std::string()));
}

}  // namespace llmtool
