// Where a tensor lies, and which level of instructions the CPU kernels may use.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace llmtool {

enum class Device : uint8_t { kCpu, kCuda };

// Levels are ordered: a CPU that has one has those before it.
//   kAvx2        AVX2, FMA, F16C, BMI2 (Haswell)
//   kAvx512      AVX-512 F, BW, CD, DQ, VL (Skylake-X)
//   kAvx512Bf16  with BF16 and VNNI: dot products of bf16 and int8 (Cooper Lake, Zen 4)
//   kAmx         AMX tiles with bf16 and int8 (Sapphire Rapids)
enum class Isa : uint8_t { kNone, kAvx2, kAvx512, kAvx512Bf16, kAmx };

std::string_view name_of(Device d);
std::string_view name_of(Isa isa);

// The best level this CPU and this operating system offer. For AMX this asks the kernel for the
// permission to use tile data, once.
Isa detected_isa();

// detected_isa(), or the level that the environment names
//
//   LLMTOOL_CPU=avx2|avx512|avx512_bf16|amx
// Throws Fault::kUsage for an unknown name, Fault::kDevice for a level that this CPU lacks
// and on a CPU without AVX2, which every level needs.
Isa selected_isa();

// Every level this CPU offers, lowest first; for tests.
std::vector<Isa> available_isas();

}  // namespace llmtool
