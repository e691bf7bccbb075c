#include <cmath>
#include <doctest/doctest.h>

#include "lib/base/error.h"
#include "lib/model/known_shapes.h"
#include "lib/train/kernel_benchmark.h"
#include "lib/train/training_benchmark.h"

using namespace llmtool;

namespace {

LlamaConfig tiny() {
  LlamaConfig c;
  c.vocab_size = 64;
  c.hidden_size = 32;
  c.intermediate_size = 48;
  c.num_hidden_layers = 2;
  c.num_attention_heads = 4;
  c.num_key_value_heads = 2;
  c.head_dim = 8;
  c.tie_word_embeddings = true;
  return c;
}

struct Setup {
  ThreadPool pool{2};
  Stream stream = open_stream(Device::kCpu, pool);
  ~Setup() { close_stream(stream); }
};

constexpr int64_t kMemory = int64_t{1} << 20;

}  // namespace

TEST_CASE("the roofline: flops at the unit's peak, bytes by what reads and updates take") {
  Peaks p;
  p.f32 = 100;
  p.bf16_tile = 1000;
  p.read = 8;
  p.update = 4;
  CHECK(p.flops(DType::kF32) == 100);
  CHECK(p.flops(DType::kBF16) == 1000);
  CHECK(p.seconds({.flops = 50}) == doctest::Approx(0.5));
  CHECK(p.seconds({.flops = 50, .unit = DType::kBF16}) == doctest::Approx(0.05));
  CHECK(p.seconds({.flops = 1, .read = 16}) == doctest::Approx(2));
  CHECK(p.bound_by_memory({.flops = 1, .read = 16}));
  CHECK(!p.bound_by_memory({.flops = 1000, .read = 16}));
  CHECK(p.seconds({.read = 16, .written = 16}) == doctest::Approx(8));  // the mix of `update`
  CHECK(p.seconds({.written = 8}) == doctest::Approx(3));
  p.update = 16;  // writes pass beside the reads
  CHECK(p.seconds({.read = 16, .written = 16}) == doctest::Approx(2));
  CHECK(p.seconds({.written = 32}) == doctest::Approx(2));  // but not for nothing
}

TEST_CASE("the published shapes have the parameters that they are known for") {
  CHECK(smollm2_135m().parameter_count() == 134515008);
  CHECK(tinyllama_1_1b().parameter_count() == 1100048384);
  smollm2_135m().check_consistent("smollm2_135m");
  tinyllama_1_1b().check_consistent("tinyllama_1_1b");
}

TEST_CASE("peaks are measured at every level of this CPU, with the units of the level only") {
  Setup s;
  for (const Isa isa : available_isas()) {
    CAPTURE(name_of(isa));
    s.stream.isa = isa;
    PeakMeter meter(kMemory, s.stream);
    meter.measure();
    const Peaks p = meter.medians();
    CHECK(p.f32 > 0);
    CHECK(p.read > 0);
    CHECK(p.update > 0);
    CHECK((p.bf16_dot > 0) == (isa >= Isa::kAvx512Bf16));
    CHECK((p.int8_dot > 0) == (isa >= Isa::kAvx512Bf16));
    CHECK((p.bf16_tile > 0) == (isa == Isa::kAmx));
    CHECK((p.int8_tile > 0) == (isa == Isa::kAmx));
    CHECK(p.flops(DType::kBF16) >= p.f32);
  }
}

TEST_CASE("every case of the kernel benchmark runs, and --only picks by name") {
  Setup s;
  KernelBenchmarkOptions options;
  options.models = {{"tiny", tiny()}};
  options.rows = {4};
  options.few_rows = {1};
  options.head_rows = 8;
  options.seq_len = 16;
  options.memory_bytes = kMemory;
  options.rounds = 1;
  const KernelBenchmark all = benchmark_kernels(options, s.stream);
  // Two dtypes of: 4 products in 3 forms, SwiGLU and its backward, 5 to decode, the head, attention
  // and its backward, AdamW; and the norm, its backward, RoPE, the squared norm, 4 int8 products
  // once.
  CHECK(all.timings.size() == 2 * (4 * 3 + 2 + 5 + 1 + 2 + 1) + 8);
  for (const KernelTiming& t : all.timings) {
    CAPTURE(t.name);
    CHECK(t.seconds > 0);
    CHECK(t.fastest_seconds == t.seconds);  // of one round
    CHECK(t.disturbed == 0);                // nobody asked
    CHECK(all.peaks.seconds(t.cost) > 0);
  }
  CHECK(all.timings[0].name == "tiny qkv forward bf16 4x32x64");
  CHECK(all.timings[0].cost.flops == 2 * 4 * 32 * 64);

  options.only = "attention backward";
  options.rounds = 2;
  CHECK(benchmark_kernels(options, s.stream).timings.size() == 2);
  options.patience_seconds = 1e-3;
  if (tells_share_of_cores(s.stream)) {
    for (const KernelTiming& t : benchmark_kernels(options, s.stream).timings) {
      CHECK(t.fastest_seconds <= t.seconds);
      CHECK(t.disturbed <= 2);
    }
    const double share = share_of_cores(s.stream);
    CHECK((share > 0 && share <= 1));
  } else {
    CHECK_THROWS_AS(benchmark_kernels(options, s.stream), Error);
  }
  options.patience_seconds = NAN;
  CHECK_THROWS_AS(benchmark_kernels(options, s.stream), Error);
  options.patience_seconds = 0;
  options.only = "no such case";
  CHECK_THROWS_AS(benchmark_kernels(options, s.stream), Error);
}

TEST_CASE("the table of a training step accounts for its time") {
  Setup s;
  TrainOptions options;
  options.seq_len = 16;
  options.batch_size = 2;
  options.grad_accum = 3;
  const TrainingBenchmark b =
      benchmark_training(tiny(), DType::kBF16, options, 1, kMemory, s.stream);
  CHECK(b.tokens_per_second == doctest::Approx(3 * 2 * 16 / b.step_seconds));
  CHECK(b.flops_per_second ==
        doctest::Approx(b.tokens_per_second * tiny().training_flops_per_token(16)));
  CHECK(b.utilisation == doctest::Approx(b.flops_per_second / b.peaks.flops(DType::kBF16)));
  CHECK(b.loss > 0);
  double inside = 0, below = 0;  // all operations; those that the last one calls
  int64_t products = 0;
  for (size_t i = 0; i < b.operations.size(); ++i) {
    const OperationTiming& t = b.operations[i];
    CAPTURE(t.name);
    CHECK(t.calls > 0);
    CHECK(t.seconds > 0);
    if (t.depth == 0) inside += t.seconds;
    below = t.depth == 0 ? 0 : below + (t.depth == 1 ? t.seconds : 0);
    size_t caller = i;
    while (b.operations[caller].depth > 0) --caller;
    CHECK(below <= b.operations[caller].seconds);
    if (t.depth == 0 && (t.name == "linear" || t.name == "linear_swiglu")) products += t.calls;
  }
  CHECK(products == 3 * 2 * 4);  // micro-batches, layers, matrices
  // Of one round, whose figures are the medians.
  CHECK(inside + b.outside_seconds == doctest::Approx(b.profiled_seconds).epsilon(1e-6));
  CHECK(b.outside_seconds >= 0);
}
