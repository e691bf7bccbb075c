#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cmd/bench.h"

namespace llmtool {
namespace {

void run(const BenchOptions& o) {
  Runtime runtime(o.threads, "cpu", /*pin=*/true);
  PeakMeter meter(o.memory_bytes(), runtime.stream());
  for (int i = 0; i < o.rounds; ++i) meter.measure();
  if (!o.json) {
    print("%s\n", setting_text(runtime.stream()).c_str());
    print_peaks(meter.medians());
    return;
  }
  nlohmann::ordered_json j;
  add_setting(j, runtime.stream(), meter.medians());
  write_stdout(j.dump() + "\n");
}

void define_bench_peak(CLI::App& app) {
  auto o = std::make_shared<BenchOptions>();
  add_bench_flags(app, *o);
  app.footer("Example:\n  LLMTOOL_CPU=avx2 llmtool bench peak --threads 1");
  app.callback([o] { run(*o); });
}

const Register<Command> bench_peak{
    {"bench peak", "Measure the machine: multiply-adds, memory", 97, define_bench_peak}};

}  // namespace
}  // namespace llmtool
