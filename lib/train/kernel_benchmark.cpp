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

// Calls timing() until the cores are this process's alone before and after it. False if patience
// runs out before that.
template <class F>
bool undisturbed(double patience_seconds, Stream& stream, F&& timing) {
  constexpr double kAlone = 0.9;
  const auto start = std::chrono::steady_clock::now();
  while (true) {
    const bool before = patience_seconds == 0 || share_of_cores(stream) >= kAlone;
    timing();
    if (patience_seconds == 0) return true;
    if (before && share_of_cores(stream) >= kAlone) return true;
    const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - start;
    if (waited.count() >= patience_seconds) return false;
  }
}

}  // namespace

KernelBenchmark benchmark_kernels(const KernelBenchmarkOptions& options, Stream& stream) {
  // Seconds of a timing; calm moments are short.
  const double long_enough = options.patience_seconds > 0 ? 5e-4 : 4e-3;
  constexpr double kMostRepeats = 1000;
  check(options.patience_seconds >= 0, Fault::kUsage, "--patience: ", options.patience_seconds,
        " is no number of seconds");  // NaN
  check(
      options.patience_seconds == 0 || tells_share_of_cores(stream), Fault::kUsage,
      "--patience: only AMX tiles tell whether others use the cores, and there are none at level ",
      name_of(stream.isa));
  const KernelCases cases(options, stream);
  const auto& list = cases.list();
  check(!list.empty(), Fault::kUsage, "no case has '", options.only, "' in its name");
  PeakMeter meter(options.memory_bytes, stream);
  std::vector<int64_t> repeats;
  for (const KernelCase& c : list) {  // the first call touches the memory
    c.run();
    const double wanted = long_enough / seconds_of(c.run, 1);
    repeats.push_back(static_cast<int64_t>(std::clamp(wanted, 1.0, kMostRepeats)));
  }
  std::vector<std::vector<double>> seconds(list.size());
  std::vector<int> disturbed(list.size());
  for (int round = 0; round < options.rounds; ++round) {
    meter.measure();
    for (size_t i = 0; i < list.size(); ++i) {
      double taken = 0;
      const bool calm = undisturbed(options.patience_seconds, stream,
                                    [&] { taken = seconds_of(list[i].run, repeats[i]); });
      disturbed[i] += calm ? 0 : 1;
      seconds[i].push_back(taken);
    }
  }
  KernelBenchmark result;
  result.peaks = meter.medians();
  for (size_t i = 0; i < list.size(); ++i) {
    result.timings.push_back(list[i].timing);
    KernelTiming& t = result.timings.back();
    t.seconds = median(seconds[i]);
    t.fastest_seconds = *std::min_element(seconds[i].begin(), seconds[i].end());
    t.disturbed = disturbed[i];
  }
  return result;
}

}  // namespace llmtool
