#include <immintrin.h>

#include "kernels/machine/peak.h"
#include "kernels/machine/register_loop.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

constexpr int kChains = 12;  // hide the latency of the dot products
constexpr double kLanes = 16;

void bf16_dots(int64_t iterations) {
  __m512 acc[kChains];
  for (__m512& v : acc) v = _mm512_setzero_ps();
  __m512i a = _mm512_set1_epi16(0x3f7f), b = _mm512_set1_epi16(0x3a83);  // 0.996 and 0.001
  for (int64_t i = 0; i < iterations; ++i) {
#pragma GCC unroll 12
    for (__m512& v : acc) {
      v = _mm512_dpbf16_ps(v, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
    }
    __asm__ volatile("" : "+v"(a), "+v"(b));  // the loop stays
  }
  for (const __m512& v : acc) __asm__ volatile("" : : "v"(v));  // and so do its results
}

void int8_dots(int64_t iterations) {
  __m512i acc[kChains];
  for (__m512i& v : acc) v = _mm512_setzero_si512();
  __m512i a = _mm512_set1_epi8(3), b = _mm512_set1_epi8(-1);
  for (int64_t i = 0; i < iterations; ++i) {
#pragma GCC unroll 12
    for (__m512i& v : acc) v = _mm512_dpbusd_epi32(v, a, b);
    __asm__ volatile("" : "+v"(a), "+v"(b));
  }
  for (const __m512i& v : acc) __asm__ volatile("" : : "v"(v));
}

void bf16_dot_peak_bf16(const RegisterPeak& p, Stream& s) {
  run_on_all_threads(p, 2 * 2.0 * kLanes * kChains, s, bf16_dots);
}

void int8_dot_peak_bf16(const RegisterPeak& p, Stream& s) {
  run_on_all_threads(p, 4 * 2.0 * kLanes * kChains, s, int8_dots);
}

LLMTOOL_KERNEL(bf16_dot_peak, Device::kCpu, Isa::LLMTOOL_ISA, bf16_dot_peak_bf16);
LLMTOOL_KERNEL(int8_dot_peak, Device::kCpu, Isa::LLMTOOL_ISA, int8_dot_peak_bf16);

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
