#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cmd/bench.h"
#include "lib/model/known_shapes.h"
#include "lib/train/training_benchmark.h"

namespace llmtool {
namespace {

using Json = nlohmann::ordered_json;

struct Options : BenchOptions {
  std::string dtype = "bf16", model_config;
  TrainOptions train;

  DType compute() const { return dtype == "bf16" ? DType::kBF16 : DType::kF32; }
  // The name of this case in the file of --peers.
  std::string name(const LlamaConfig& config) const {
    return concat("train ", dtype, " ", config.parameter_count(), " parameters ", train.grad_accum,
                  "x", train.batch_size, "x", train.seq_len);
  }
};

// Seconds of a step by peer.
std::map<std::string, double> seconds_of(const Peers& peers, const std::string& name) {
  std::map<std::string, double> seconds;
  for (const auto& [peer, cases] : peers) {
    if (const auto it = cases.find(name); it != cases.end()) seconds[peer] = it->second;
  }
  return seconds;
}

void print_json(const Options& o, const LlamaConfig& config, const TrainingBenchmark& b,
                const Peers& peers, const Stream& s) {
  Json operations = Json::array();
  for (const OperationTiming& t : b.operations) {
    Json row = {
        {"operation", t.name}, {"depth", t.depth},     {"dtype", std::string(name_of(t.cost.unit))},
        {"calls", t.calls},    {"seconds", t.seconds}, {"share", t.seconds / b.profiled_seconds}};
    add_rates(row, t.cost, t.seconds, b.peaks);
    operations.push_back(std::move(row));
  }
  Json j;
  add_setting(j, s, b.peaks);
  j.update({{"case", o.name(config)},
            {"dtype", o.dtype},
            {"parameters", config.parameter_count()},
            {"seq_len", o.train.seq_len},
            {"batch_size", o.train.batch_size},
            {"grad_accum", o.train.grad_accum},
            {"rounds", o.rounds},
            {"tokens_per_second", b.tokens_per_second},
            {"step_seconds", b.step_seconds},
            {"flops_per_second", b.flops_per_second},
            {"peak_flops_per_second", b.peaks.flops(o.compute())},
            {"model_flop_utilisation", b.utilisation},
            {"loss", b.loss},
            {"profiled_step_seconds", b.profiled_seconds},
            {"outside_seconds", b.outside_seconds},
            {"operations", operations}});
  for (const auto& [peer, seconds] : seconds_of(peers, o.name(config))) {
    j["peers"][peer] = {{"step_seconds", seconds}, {"times_faster", seconds / b.step_seconds}};
  }
  write_stdout(j.dump() + "\n");
}

void print_operations(const TrainingBenchmark& b) {
  print("\n%-32s %5s %6s %9s %7s%s\n", "operation", "", "calls", "ms", "share", kRatesHeader);
  for (const OperationTiming& t : b.operations) {
    const std::string name = std::string(static_cast<size_t>(2 * t.depth), ' ') + t.name;
    print("%-32s %5s %6lld %9.2f %6.1f%%%s\n", name.c_str(),
          std::string(name_of(t.cost.unit)).c_str(), static_cast<long long>(t.calls),
          t.seconds * 1e3, 100 * t.seconds / b.profiled_seconds,
          rates_text(t.cost, t.seconds, b.peaks).c_str());
  }
  print("%-32s %5s %6s %9.2f %6.1f%%\n", "outside operations", "", "", b.outside_seconds * 1e3,
        100 * b.outside_seconds / b.profiled_seconds);
  print("%-32s %5s %6s %9.2f\n", "step, profiled", "", "", b.profiled_seconds * 1e3);
}

void print_table(const Options& o, const LlamaConfig& config, const TrainingBenchmark& b,
                 const Peers& peers, const Stream& s) {
  print("%s, %s; medians of %d rounds\n", setting_text(s).c_str(), o.dtype.c_str(), o.rounds);
  print_peaks(b.peaks);
  print_operations(b);
  print("\n%.1f M parameters, %lld x %lld x %lld tokens a step: %.1f ms, %.1f tokens/s\n",
        static_cast<double>(config.parameter_count()) * 1e-6,
        static_cast<long long>(o.train.grad_accum), static_cast<long long>(o.train.batch_size),
        static_cast<long long>(o.train.seq_len), b.step_seconds * 1e3, b.tokens_per_second);
  print("%.1f GFLOP/s of the model = %.1f%% of the %s peak of %.1f\n", b.flops_per_second * 1e-9,
        100 * b.utilisation, o.dtype.c_str(), b.peaks.flops(o.compute()) * 1e-9);
  for (const auto& [peer, seconds] : seconds_of(peers, o.name(config))) {
    print("%.2f x the speed of %s (%.1f ms a step)\n", seconds / b.step_seconds, peer.c_str(),
          seconds * 1e3);
  }
}

void run(const Options& o) {
  const Peers peers = read_peers(o.peers);
  const LlamaConfig config =
      o.model_config.empty() ? smollm2_135m() : read_llama_config(o.model_config);
  Runtime runtime(o.threads, "cpu", /*pin=*/true);
  const TrainingBenchmark b = benchmark_training(config, o.compute(), o.train, o.rounds,
                                                 o.memory_bytes(), runtime.stream());
  if (o.json) {
    print_json(o, config, b, peers, runtime.stream());
  } else {
    print_table(o, config, b, peers, runtime.stream());
  }
}

void define_bench_train(CLI::App& app) {
  auto o = std::make_shared<Options>();
  o->train.seq_len = 1024;
  o->train.batch_size = 1;
  app.add_option("--model-config", o->model_config,
                 "config.json of the model; left out: the shape of SmolLM2 135M");
  app.add_option("--seq-len", o->train.seq_len, "Tokens of a window (T)")
      ->check(CLI::Range(1, 1 << 20));
  app.add_option("--batch-size", o->train.batch_size, "Windows of a micro-batch")
      ->check(CLI::Range(1, 1 << 20));
  app.add_option("--grad-accum", o->train.grad_accum, "Micro-batches of a step")
      ->check(CLI::Range(1, 1 << 20));
  app.add_option("--dtype", o->dtype, "f32 or bf16")->check(CLI::IsMember({"f32", "bf16"}));
  add_seed(app, o->train.seed);
  add_bench_flags(app, *o);
  add_peers(app, *o);
  app.footer(
      "Example:\n  llmtool bench train --model-config config.json --seq-len 256 --batch-size 8");
  app.callback([o] { run(*o); });
}

const Register<Command> bench_train{
    {"bench train", "Whole training steps, and where their time goes", 99, define_bench_train}};

}  // namespace
}  // namespace llmtool
