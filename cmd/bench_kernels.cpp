#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cmd/bench.h"
#include "lib/model/known_shapes.h"
#include "lib/train/kernel_benchmark.h"

namespace llmtool {
namespace {

using Json = nlohmann::ordered_json;

struct Options : BenchOptions {
  KernelBenchmarkOptions kernels;
  std::string model_config;
};

void print_json(const KernelBenchmark& b, const Peers& peers, const Stream& s) {
  Json rows = Json::array();
  for (const KernelTiming& t : b.timings) {
    Json row = {{"case", t.name}, {"seconds", t.seconds}};
    if (!t.form.empty()) {
      row.update({{"form", t.form}, {"dtype", t.dtype}, {"m", t.m}, {"k", t.k}, {"n", t.n}});
    }
    row["fastest_seconds"] = t.fastest_seconds;
    row["disturbed"] = t.disturbed;
    add_rates(row, t.cost, t.seconds, b.peaks);
    for (const auto& [peer, cases] : peers) {
      if (const auto it = cases.find(t.name); it != cases.end()) {
        row["peers"][peer] = {{"seconds", it->second}, {"times_faster", it->second / t.seconds}};
      }
    }
    rows.push_back(std::move(row));
  }
  Json j;
  add_setting(j, s, b.peaks);
  j["timings"] = std::move(rows);
  write_stdout(j.dump() + "\n");
}

void print_table(const KernelBenchmark& b, const Peers& peers, const Stream& s, int rounds) {
  print("%s; medians of %d rounds\n", setting_text(s).c_str(), rounds);
  print_peaks(b.peaks);
  print("\n%-48s %10s%s", "", "ms", kRatesHeader);
  for (const auto& [peer, cases] : peers) print("  %20s", concat("x of ", peer).c_str());
  print("\n");
  for (const KernelTiming& t : b.timings) {
    print("%-48s %10.4f%s", t.name.c_str(), t.seconds * 1e3,
          rates_text(t.cost, t.seconds, b.peaks).c_str());
    for (const auto& [peer, cases] : peers) {
      const auto it = cases.find(t.name);
      if (it == cases.end()) {
        print("  %20s", "");
      } else {
        print("  %20.2f", it->second / t.seconds);
      }
    }
    print("\n");
  }
}

// What --patience came to.
void print_disturbed(const KernelBenchmark& b, int rounds) {
  int64_t disturbed = 0;
  for (const KernelTiming& t : b.timings) disturbed += t.disturbed;
  print("\nOthers used the cores during %lld of %lld timings, however often they were taken.\n",
        static_cast<long long>(disturbed),
        static_cast<long long>(rounds) * static_cast<long long>(b.timings.size()));
}

void run(Options o) {
  const Peers peers = read_peers(o.peers);
  if (o.model_config.empty()) {
    o.kernels.models = {{"135M", smollm2_135m()}, {"1.1B", tinyllama_1_1b()}};
  } else {
    o.kernels.models = {{"model", read_llama_config(o.model_config)}};
  }
  o.kernels.rounds = o.rounds;
  o.kernels.memory_bytes = o.memory_bytes();
  Runtime runtime(o.threads, "cpu", /*pin=*/true);
  const KernelBenchmark b = benchmark_kernels(o.kernels, runtime.stream());
  if (o.json) {
    print_json(b, peers, runtime.stream());
  } else {
    print_table(b, peers, runtime.stream(), o.rounds);
    if (o.kernels.patience_seconds > 0) print_disturbed(b, o.rounds);
  }
}

void define_bench_kernels(CLI::App& app) {
  auto o = std::make_shared<Options>();
  const auto sizes = CLI::Range(1, 1 << 20);
  app.add_option("--model-config", o->model_config,
                 "config.json of a model; left out: SmolLM2 135M and TinyLlama 1.1B");
  app.add_option("--rows", o->kernels.rows, "Rows (M) of the block's products")
      ->delimiter(',')
      ->check(sizes);
  app.add_option("--few-rows", o->kernels.few_rows, "Rows of decoding")
      ->delimiter(',')
      ->check(sizes);
  app.add_option("--head-rows", o->kernels.head_rows, "Rows of the head's loss")->check(sizes);
  app.add_option("--seq-len", o->kernels.seq_len, "Positions of attention (T)")->check(sizes);
  app.add_option("--only", o->kernels.only, "Only cases whose name contains this");
  app.add_option(
         "--patience", o->kernels.patience_seconds,
         "Seconds for which each timing of a round is taken again until nobody else uses the "
         "cores, which AMX tiles tell: for machines that are shared with others")
      ->check(CLI::Range(0.0, 3600.0));
  add_bench_flags(app, *o);
  add_peers(app, *o);
  app.footer("Example:\n  llmtool bench kernels --only \"135M attention\"");
  app.callback([o] { run(*o); });
}

const Register<Command> bench_kernels{
    {"bench kernels", "Each operation of training and decoding", 98, define_bench_kernels}};

}  // namespace
}  // namespace llmtool
