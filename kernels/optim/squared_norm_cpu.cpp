#include "kernels/optim/squared_norm.h"
#include "lib/base/simd.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

constexpr int64_t kBlock = 8192;
constexpr int64_t kLine = 16, kAhead = 2048;  // floats
constexpr int64_t kChains = 4 * kLanes;       // element i of a block goes to chain i mod kChains

double squares_of(const float* x, int64_t n) {
  double sum[kChains] = {};
  int64_t i = 0;
  for (; i + kChains <= n; i += kChains) {
    // One stream alone does not keep the memory busy.
    for (int64_t j = 0; j < kChains; j += kLine) __builtin_prefetch(x + i + kAhead + j, 0, 2);
    for (int64_t j = 0; j < kChains; ++j) {
      const double v = x[i + j];
      sum[j] += v * v;
    }
  }
  for (int64_t j = 0; i < n; ++i, ++j) sum[j] += static_cast<double>(x[i]) * x[i];
  double total = 0;
  for (const double v : sum) total += v;
  return total;
}

void squared_norm_cpu(const SquaredNorm& a, Stream& s) {
  const int64_t n = a.x.cols, blocks = (n + kBlock - 1) / kBlock;
  const float* x = a.x.row<float>(0);
  auto* sums =
      static_cast<double*>(s.scratch().shared(static_cast<size_t>(blocks) * sizeof(double)));
  s.parallel_for(blocks, 4, [&](int64_t b, int64_t end, int) {
    for (; b < end; ++b) {
      const int64_t begin = b * kBlock;
      sums[b] = squares_of(x + begin, n - begin < kBlock ? n - begin : kBlock);
    }
  });
  double total = 0;
  for (int64_t b = 0; b < blocks; ++b) total += sums[b];
  *a.out.row<double>(0) += total;
}

LLMTOOL_KERNEL(squared_norm, Device::kCpu, Isa::LLMTOOL_ISA, squared_norm_cpu);

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
