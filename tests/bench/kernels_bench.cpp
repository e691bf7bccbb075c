// GFLOP/s of the matmuls of training and decoding, and of attention, on the CPU at the level that
// LLMTOOL_CPU or the machine selects. Beside the peak that train_peak.cpp measures.
#include <benchmark/benchmark.h>

#include "kernels/attention/attention.h"
#include "kernels/matmul/linear.h"
#include "tests/bench/bench_memory.h"

namespace llmtool {
namespace {

// Arguments: M, N, K, dtype (0 f32, 1 bf16), threads.
template <class Call>
void run_matmul(benchmark::State& state, Call&& call) {
  const int64_t M = state.range(0), N = state.range(1), K = state.range(2);
  const DType dtype = state.range(3) == 0 ? DType::kF32 : DType::kBF16;
  ThreadPool pool(static_cast<int>(state.range(4)));
  Stream stream = open_stream(Device::kCpu, pool);
  const BenchMatrix x(M, K, dtype), w(N, K, dtype), y(M, N, dtype), dw(N, K);
  for (auto _ : state) call(View(x), View(w), View(y), View(dw), stream);
  state.counters["GFLOP/s"] = benchmark::Counter(2e-9 * static_cast<double>(M * N * K),
                                                 benchmark::Counter::kIsIterationInvariantRate);
}

void forward(benchmark::State& state) {
  run_matmul(state, [](View x, View w, View y, View, Stream& stream) {
    linear({.y = y, .x = x, .w = w}, stream);
  });
}

void input_gradient(benchmark::State& state) {
  run_matmul(state, [](View x, View w, View y, View, Stream& stream) {
    linear_input_gradient({.dx = x, .dy = y, .w = w}, stream);
  });
}

void weight_gradient(benchmark::State& state) {
  run_matmul(state, [](View x, View, View y, View dw, Stream& stream) {
    linear_weight_gradient({.dw = dw, .dy = y, .x = x, .accumulate = false}, stream);
  });
}

void shapes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"M", "N", "K", "bf16", "threads"})->Unit(benchmark::kMicrosecond)->UseRealTime();
  for (const int64_t threads : {1, 2}) {
    for (const int64_t bf16 : {0, 1}) {
      for (const int64_t M : {1, 512}) {
        b->Args({M, 576, 576, bf16, threads});
        b->Args({M, 1536, 576, bf16, threads});
        b->Args({M, 2048, 2048, bf16, threads});
      }
    }
  }
}

BENCHMARK(forward)->Apply(shapes);
BENCHMARK(input_gradient)->Apply(shapes);
BENCHMARK(weight_gradient)->Apply(shapes);

// One sequence of T positions, 8 heads of 64; argument: T.
void causal_attention(benchmark::State& state) {
  const int64_t T = state.range(0), H = 8, D = 64;
  ThreadPool pool(1);
  Stream stream = open_stream(Device::kCpu, pool);
  const BenchMatrix q(T, H * D), k(T, H * D), v(T, H * D), out(T, H * D);
  const AttentionSequence sequence{.q_begin = 0, .q_count = T, .kv_begin = 0, .kv_count = T};
  for (auto _ : state) {
    attention({.out = out,
               .q = q,
               .k = k,
               .v = v,
               .sequences = &sequence,
               .sequence_count = 1,
               .heads = H,
               .kv_heads = H,
               .head_dim = D,
               .scale = 0.125f},
              stream);
  }
  // The causal half of two products of T x T x D per head.
  state.counters["GFLOP/s"] = benchmark::Counter(2e-9 * static_cast<double>(T * T * D * H),
                                                 benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(causal_attention)->Arg(256)->Arg(1024)->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace
}  // namespace llmtool
