#include "lib/train/kernel_benchmark.h"

#include <algorithm>
#include <chrono>

#include "lib/base/error.h"
#include "lib/train/kernel_cases.h"

namespace llmtool {
namespace {

double seconds_of(const std::function<void()>& run, int64_t repeats) {
  const auto start = std::chrono::steady_clock::now();
  for (int64_t i = 0; i < repeats; ++i) run();
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  return taken.count() / static_cast<double>(repeats);
}

}  // namespace

KernelBenchmark benchmark_kernels(const KernelBenchmarkOptions& options, Stream& stream) {
  constexpr double kLongEnough = 4e-3;  // seconds of a timing
  constexpr double kMostRepeats = 1000;
  const KernelCases cases(options, stream);
  const auto& list = cases.list();
  check(!list.empty(), Fault::kUsage, "no case has '", options.only, "' in its name");
  PeakMeter meter(options.memory_bytes, stream);
  std::vector<int64_t> repeats;
  for (const KernelCase& c : list) {  // the first call touches the memory
    c.run();
    const double wanted = kLongEnough / seconds_of(c.run, 1);
    repeats.push_back(static_cast<int64_t>(std::clamp(wanted, 1.0, kMostRepeats)));
  }
  std::vector<std::vector<double>> seconds(list.size());
  for (int round = 0; round < options.rounds; ++round) {
    meter.measure();
    for (size_t i = 0; i < list.size(); ++i) {
      seconds[i].push_back(seconds_of(list[i].run, repeats[i]));
    }
  }
  KernelBenchmark result;
  result.peaks = meter.medians();
  for (size_t i = 0; i < list.size(); ++i) {
    result.timings.push_back(list[i].timing);
    result.timings.back().seconds = median(seconds[i]);
  }
  return result;
}

}  // namespace llmtool
