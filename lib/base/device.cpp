#include "lib/base/device.h"

#include <cstdlib>
#include <string>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/error.h"

namespace llmtool {
namespace {

constexpr Isa kLevels[] = {Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Bf16, Isa::kAmx};

// Linux hands out the 8 KiB of tile state only on request (Documentation/x86/xstate.rst).
bool request_amx() {
#if defined(__x86_64__)
  constexpr long kArchReqXcompPerm = 0x1023, kXfeatureXtiledata = 18;
  return syscall(SYS_arch_prctl, kArchReqXcompPerm, kXfeatureXtiledata) == 0;
#else
  return false;
#endif
}

// __builtin_cpu_supports of g++ 12 does not know AMX: CPUID leaf 7, EDX bits 22 (bf16), 24 (tile),
// 25 (int8).
bool cpu_has_amx() {
  unsigned a = 7, b = 0, c = 0, d = 0;
  __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  constexpr unsigned kBits = 1u << 22 | 1u << 24 | 1u << 25;
  return (d & kBits) == kBits;
}

Isa detect() {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") ||
      !__builtin_cpu_supports("bmi2")) {
    return Isa::kNone;
  }
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl");
  if (!avx512) return Isa::kAvx2;
  if (!__builtin_cpu_supports("avx512bf16") || !__builtin_cpu_supports("avx512vnni")) {
    return Isa::kAvx512;
  }
  return cpu_has_amx() && request_amx() ? Isa::kAmx : Isa::kAvx512Bf16;
}

}  // namespace

std::string_view name_of(Device d) {
  return d == Device::kCpu ? "cpu" : "cuda";
}

std::string_view name_of(Isa isa) {
  switch (isa) {
    case Isa::kNone:
      return "none";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
    case Isa::kAvx512Bf16:
      return "avx512_bf16";
    case Isa::kAmx:
      return "amx";
  }
  return "?";
}

Isa detected_isa() {
  static const Isa isa = detect();
  return isa;
}

Isa selected_isa() {
  const Isa best = detected_isa();
  if (best == Isa::kNone) {
    fail(Fault::kDevice, "this CPU has no AVX2 with FMA",
         "llmtool needs an x86-64 CPU of the Haswell generation (2013) or newer");
  }
  const char* wanted = std::getenv("LLMTOOL_CPU");
  if (wanted == nullptr || *wanted == '\0') return best;
  for (const Isa level : kLevels) {
    if (name_of(level) != wanted) continue;
    check(level <= best, Fault::kDevice, "LLMTOOL_CPU=", wanted, ": this CPU offers ",
          name_of(best), " at most");
    return level;
  }
  fail(Fault::kUsage,
       concat("LLMTOOL_CPU=", wanted, ": expected avx2, avx512, avx512_bf16 or amx"));
}

std::vector<Isa> available_isas() {
  std::vector<Isa> levels;
  for (const Isa level : kLevels) {
    if (level <= detected_isa()) levels.push_back(level);
  }
  return levels;
}

}  // namespace llmtool
