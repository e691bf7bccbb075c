#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cmd/command.h"
#include "cmd/flags.h"
#include "lib/train/benchmark.h"

namespace llmtool {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string dtype = "f32", model_config;
  TrainOptions train;
  int threads = 0, rounds = 7;
  bool json = false;

  DType compute() const { return dtype == "bf16" ? DType::kBF16 : DType::kF32; }
};

template <class... P>
void print(const char* format, P... values) {
  char line[256];
  std::snprintf(line, sizeof line, format, values...);
  write_stdout(line);
}

std::string setting(const Options& o, const Stream& s) {
  return concat(name_of(s.isa), ", ", s.threads(), s.threads() == 1 ? " thread" : " threads", ", ",
                o.dtype);
}

void add_common(CLI::App& app, const std::shared_ptr<Options>& o) {
  app.add_option("--rounds", o->rounds, "Timings of each figure; the median is reported")
      ->check(CLI::Range(1, 1000));
  add_threads(app, o->threads);
  add_json(app, o->json);
}

void add_dtype(CLI::App& app, const std::shared_ptr<Options>& o) {
  app.add_option("--dtype", o->dtype, "f32 or bf16")->check(CLI::IsMember({"f32", "bf16"}));
}

void run_peak(const Options& o) {
  Runtime runtime(o.threads, "cpu", /*pin=*/true);
  const Peaks p = measure_peaks(o.rounds, runtime.stream());
  if (o.json) {
    const Json j = {{"isa", std::string(name_of(runtime.stream().isa))},
                    {"threads", runtime.stream().threads()},
                    {"f32_flops_per_second", p.flops},
                    {"read_bytes_per_second", p.read_bytes}};
    write_stdout(j.dump() + "\n");
    return;
  }
  print("%s\nf32 multiply-add   %8.1f GFLOP/s\nmemory read        %8.1f GB/s\n",
        setting(o, runtime.stream()).c_str(), p.flops * 1e-9, p.read_bytes * 1e-9);
}

void run_matmul(const Options& o) {
  Runtime runtime(o.threads, "cpu", /*pin=*/true);
  const MatmulBenchmark b = benchmark_matmul(o.compute(), o.rounds, runtime.stream());
  if (o.json) {
    Json rows = Json::array();
    for (const MatmulTiming& t : b.timings) {
      rows.push_back({{"form", t.form},
                      {"m", t.m},
                      {"k", t.k},
                      {"n", t.n},
                      {"flops_per_second", t.flops},
                      {"peak_share", t.peak_share}});
    }
    const Json j = {{"setting", setting(o, runtime.stream())},
                    {"peak_flops_per_second", b.peaks.flops},
                    {"read_bytes_per_second", b.peaks.read_bytes},
                    {"rows_alike", b.rows_alike},
                    {"timings", rows}};
    write_stdout(j.dump() + "\n");
  } else {
    print("%s; f32 peak %.1f GFLOP/s, memory %.1f GB/s, medians of %d\n",
          setting(o, runtime.stream()).c_str(), b.peaks.flops * 1e-9, b.peaks.read_bytes * 1e-9,
          o.rounds);
    print("%6s %6s %6s | %-16s %9s %7s\n", "M", "K", "N", "form", "GFLOP/s", "of peak");
    for (const MatmulTiming& t : b.timings) {
      print("%6lld %6lld %6lld | %-16s %9.1f %6.1f%%\n", static_cast<long long>(t.m),
            static_cast<long long>(t.k), static_cast<long long>(t.n), t.form.c_str(),
            t.flops * 1e-9, 100 * t.peak_share);
    }
    print("each row of M = 512 has the bits of that row alone: %s\n", b.rows_alike ? "yes" : "NO");
  }
  check(b.rows_alike, Fault::kFailed, "rows of a product depend on how many there are");
}

void run_train(const Options& o) {
  Runtime runtime(o.threads, "cpu", /*pin=*/true);
  const LlamaConfig config = read_llama_config(o.model_config);
  const TrainBenchmark b =
      benchmark_training(config, o.compute(), o.train, o.rounds, runtime.stream());
  if (o.json) {
    const Json j = {{"setting", setting(o, runtime.stream())},
                    {"parameters", config.parameter_count()},
                    {"tokens_per_second", b.tokens_per_second},
                    {"flops_per_second", b.flops_per_second},
                    {"peak_flops_per_second", b.peak_flops},
                    {"peak_share", b.flops_per_second / b.peak_flops},
                    {"loss", b.loss}};
    write_stdout(j.dump() + "\n");
    return;
  }
  print("%s; %.1f M parameters, %lld x %lld x %lld tokens a step, medians of %d\n",
        setting(o, runtime.stream()).c_str(), static_cast<double>(config.parameter_count()) * 1e-6,
        static_cast<long long>(o.train.grad_accum), static_cast<long long>(o.train.batch_size),
        static_cast<long long>(o.train.seq_len), o.rounds);
  print("%.0f tokens/s, %.1f GFLOP/s = %.1f%% of the measured f32 peak of %.1f\n",
        b.tokens_per_second, b.flops_per_second * 1e-9, 100 * b.flops_per_second / b.peak_flops,
        b.peak_flops * 1e-9);
}

void define_peak(CLI::App& app) {
  auto o = std::make_shared<Options>();
  add_common(app, o);
  app.footer("Example:\n  LLMTOOL_CPU=avx2 llmtool bench peak --threads 1");
  app.callback([o] { run_peak(*o); });
}

void define_matmul(CLI::App& app) {
  auto o = std::make_shared<Options>();
  add_dtype(app, o);
  add_common(app, o);
  app.footer("Example:\n  llmtool bench matmul --threads 2");
  app.callback([o] { run_matmul(*o); });
}

void define_train_benchmark(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("--model-config", o->model_config, "config.json of the model")->required();
  app.add_option("--seq-len", o->train.seq_len, "Tokens of a window (T)")
      ->check(CLI::Range(1, 1 << 20));
  app.add_option("--batch-size", o->train.batch_size, "Windows of a micro-batch")
      ->check(CLI::Range(1, 1 << 20));
  app.add_option("--grad-accum", o->train.grad_accum, "Micro-batches of a step")
      ->check(CLI::Range(1, 1 << 20));
  add_seed(app, o->train.seed);
  add_dtype(app, o);
  add_common(app, o);
  app.footer(
      "Example:\n  llmtool bench train --model-config config.json --seq-len 256 --batch-size 8");
  app.callback([o] { run_train(*o); });
}

const Register<Command> bench_peak{
    {"bench peak", "Measure the machine: multiply-adds, memory", 97, define_peak}};
const Register<Command> bench_matmul{
    {"bench matmul", "The three matrix products of training", 98, define_matmul}};
const Register<Command> bench_train{
    {"bench train", "Whole training steps of a model", 99, define_train_benchmark}};

}  // namespace
}  // namespace llmtool
