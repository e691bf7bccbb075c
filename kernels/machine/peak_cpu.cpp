#include "kernels/machine/peak.h"
#include "lib/base/simd.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

// Enough independent chains to hide the latency of two units; fits the 16 registers of AVX2.
constexpr int kChains = 12;

float multiply_add(int64_t iterations) {
  Vec acc[kChains];
  for (int j = 0; j < kChains; ++j) acc[j] = set1(1.0f + static_cast<float>(j));
  Vec a = set1(0.999f), b = set1(1e-3f);
  for (int64_t i = 0; i < iterations; ++i) {
#pragma GCC unroll 12
    for (int j = 0; j < kChains; ++j) acc[j] = fma(acc[j], a, b);
    __asm__ volatile("" : "+v"(a.v), "+v"(b.v));  // the loop stays
  }
  for (int j = 1; j < kChains; ++j) acc[0] += acc[j];
  return reduce_add(acc[0]);
}

void fma_peak_cpu(const FmaPeak& p, Stream& s) {
  const int threads = s.threads();
  volatile float sink = 0;
  s.parallel_for(threads, 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t) {
      const float r = multiply_add(p.iterations);
      if (r == 12345.0f) sink = r;
    }
  });
  *p.flops = 2.0 * static_cast<double>(p.iterations) * kChains * kLanes * threads;
}

void read_peak_cpu(const ReadPeak& p, Stream& s) {
  constexpr int64_t kPiece = int64_t{1} << 18;
  *p.sum = 0;
  s.parallel_for(p.n, kPiece, [&](int64_t begin, int64_t end, int) {
    Vec acc[8];
    for (Vec& v : acc) v = zero();
    for (int64_t i = begin; i + 8 * kLanes <= end; i += 8 * kLanes) {
      for (int j = 0; j < 8; ++j) acc[j] += load(p.data + i + j * kLanes);
    }
    for (int j = 1; j < 8; ++j) acc[0] += acc[j];
    const float r = reduce_add(acc[0]);
    if (r == 12345.0f) *p.sum = r;  // never true for the zeros of a benchmark
  });
}

LLMTOOL_KERNEL(fma_peak, Device::kCpu, Isa::LLMTOOL_ISA, fma_peak_cpu);
LLMTOOL_KERNEL(read_peak, Device::kCpu, Isa::LLMTOOL_ISA, read_peak_cpu);

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
