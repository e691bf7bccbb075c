#include "kernels/machine/peak.h"
#include "kernels/machine/register_loop.h"
#include "lib/base/simd.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

// Enough independent chains to hide the latency of two units; fits the 16 registers of AVX2.
constexpr int kChains = 12;

void multiply_add(int64_t iterations) {
  Vec acc[kChains];
  for (int j = 0; j < kChains; ++j) acc[j] = set1(1.0f + static_cast<float>(j));
  Vec a = set1(0.999f), b = set1(1e-3f);
  for (int64_t i = 0; i < iterations; ++i) {
#pragma GCC unroll 12
    for (int j = 0; j < kChains; ++j) acc[j] = fma(acc[j], a, b);
    __asm__ volatile("" : "+v"(a.v), "+v"(b.v));  // the loop stays
  }
  for (const Vec& v : acc) __asm__ volatile("" : : "v"(v.v));  // and so do its results
}

void f32_peak_cpu(const RegisterPeak& p, Stream& s) {
  run_on_all_threads(p, 2.0 * kChains * kLanes, s, multiply_add);
}

constexpr int64_t kPiece = int64_t{1} << 18;

// Four places of a piece in turns: more prefetchers are at work than on one.
void read_peak_cpu(const ReadPeak& p, Stream& s) {
  *p.sum = 0;
  s.parallel_for(p.n, kPiece, [&](int64_t begin, int64_t end, int) {
    constexpr int64_t kPlaces = 4, kLine = 64 / 4;
    Vec acc[kPlaces];
    for (Vec& v : acc) v = zero();
    const int64_t each = (end - begin) / kPlaces / kLine * kLine;
    for (int64_t i = 0; i < each; i += kLine) {
      for (int64_t j = 0; j < kPlaces; ++j) {
        const float* line = p.data + begin + j * each + i;
        for (int64_t k = 0; k < kLine; k += kLanes) acc[j] += load(line + k);
      }
    }
    for (int64_t j = 1; j < kPlaces; ++j) acc[0] += acc[j];
    const float r = reduce_add(acc[0]);
    if (r == 12345.0f) *p.sum = r;  // never true for the zeros of a benchmark
  });
}

void update_peak_cpu(const UpdatePeak& p, Stream& s) {
  s.parallel_for(p.n, kPiece / 4, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; i += kLanes) {
      const int64_t count = end - i < kLanes ? end - i : kLanes;
      const Vec g = load_n(p.g + i, count);
      for (float* stream : {p.a, p.b, p.c}) {
        Vec x = load_n(stream + i, count);
        x += g;
        store_n(stream + i, x, count);
      }
      store_n(p.g + i, zero(), count);
    }
  });
}

LLMTOOL_KERNEL(f32_peak, Device::kCpu, Isa::LLMTOOL_ISA, f32_peak_cpu);
LLMTOOL_KERNEL(read_peak, Device::kCpu, Isa::LLMTOOL_ISA, read_peak_cpu);
LLMTOOL_KERNEL(update_peak, Device::kCpu, Isa::LLMTOOL_ISA, update_peak_cpu);

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
