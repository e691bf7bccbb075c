#include "lib/train/benchmark.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <numeric>

#include "kernels/machine/peak.h"
#include "kernels/matmul/linear.h"
#include "lib/base/error.h"
#include "lib/base/rng.h"
#include "lib/train/optimizer.h"

namespace llmtool {
namespace {

template <class F>
double time_of(F&& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double fma_rate(Stream& stream) {
  constexpr int64_t kIterations = 2'000'000;
  double flops = 0;
  const double seconds = time_of([&] { fma_peak({kIterations, &flops}, stream); });
  return flops / seconds;
}

// A matrix of random numbers with an owner.
struct Matrix {
  Buffer memory;
  View view;

  Matrix(int64_t rows, int64_t cols, DType dtype, uint64_t seed, const Stream& stream)
      : memory(Device::kCpu, rows * cols * size_of(dtype)),
        view{memory.data(), rows, cols, cols, dtype} {
    const Rng rng(seed);
    stream.parallel_for(rows, 64, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin * cols; i < end * cols; ++i) {
        const float x = static_cast<float>(rng.uniform(static_cast<uint64_t>(i)) - 0.5);
        if (dtype == DType::kBF16) {
          view.row<bf16>(0)[i] = to_bf16(x);
        } else {
          view.row<float>(0)[i] = x;
        }
      }
    });
  }
};

// The three products of one layer shape, for one number of rows.
struct Case {
  int64_t m, k, n;
  Matrix x, w, y, dw;
  std::vector<double> seconds[3];

  Case(int64_t rows, int64_t inner, int64_t outer, DType dtype, const Stream& s)
      : m(rows),
        k(inner),
        n(outer),
        x(m, k, dtype, 1, s),
        w(n, k, dtype, 2, s),
        y(m, n, dtype, 3, s),
        dw(n, k, DType::kF32, 4, s) {}

  void run(int form, Stream& s) const {
    if (form == 0) linear({.y = y.view, .x = x.view, .w = w.view, .residual = {}}, s);
    if (form == 1) linear_input_gradient({.dx = x.view, .dy = y.view, .w = w.view}, s);
    if (form == 2) linear_weight_gradient({.dw = dw.view, .dy = y.view, .x = x.view}, s);
  }
  double flops() const { return 2.0 * static_cast<double>(m) * static_cast<double>(k * n); }
};

constexpr const char* kForms[] = {"forward", "input gradient", "weight gradient"};

bool rows_alike(DType dtype, Stream& s) {
  constexpr int64_t kRows = 512, kInner = 576, kOuter = 1536;
  const Matrix x(kRows, kInner, dtype, 1, s), w(kOuter, kInner, dtype, 2, s);
  const Matrix together(kRows, kOuter, dtype, 3, s), alone(1, kOuter, dtype, 4, s);
  linear({.y = together.view, .x = x.view, .w = w.view, .residual = {}}, s);
  for (int64_t r = 0; r < kRows; ++r) {
    linear({.y = alone.view, .x = x.view.slice_rows(r, 1), .w = w.view, .residual = {}}, s);
    if (std::memcmp(alone.view.data, together.view.at(r, 0),
                    static_cast<size_t>(kOuter * size_of(dtype))) != 0) {
      return false;
    }
  }
  return true;
}

}  // namespace

Peaks measure_peaks(int rounds, Stream& stream) {
  constexpr int64_t kFloats = int64_t{64} << 20;
  const Buffer memory(Device::kCpu, kFloats * size_of(DType::kF32));
  std::memset(memory.data(), 0, static_cast<size_t>(memory.bytes()));
  std::vector<double> flops, bytes;
  float sum = 0;
  for (int r = 0; r < rounds; ++r) {
    flops.push_back(fma_rate(stream));
    const auto* data = reinterpret_cast<const float*>(memory.data());
    const double seconds = time_of([&] { read_peak({data, kFloats, &sum}, stream); });
    bytes.push_back(static_cast<double>(memory.bytes()) / seconds);
  }
  return {median(flops), median(bytes)};
}

MatmulBenchmark benchmark_matmul(DType dtype, int rounds, Stream& stream) {
  std::vector<std::unique_ptr<Case>> cases;
  for (const auto& [k, n] : {std::pair<int64_t, int64_t>{576, 576},
                             {576, 1536},
                             {1536, 576},
                             {2048, 2048},
                             {576, 49152}}) {
    for (const int64_t m : {1, 8, 32, 512, 2048}) {
      if (n > 40000 && m > 512) continue;
      cases.push_back(std::make_unique<Case>(m, k, n, dtype, stream));
    }
  }
  std::vector<double> peak;
  for (int round = 0; round < rounds; ++round) {
    peak.push_back(fma_rate(stream));
    for (const auto& c : cases) {
      for (int form = 0; form < 3; ++form) {
        c->run(form, stream);  // warms the caches as a layer finds them after its neighbours
        c->seconds[form].push_back(time_of([&] { c->run(form, stream); }));
      }
    }
  }
  MatmulBenchmark result;
  result.peaks = measure_peaks(rounds, stream);
  result.peaks.flops = median(peak);
  for (const auto& c : cases) {
    for (int form = 0; form < 3; ++form) {
      const double rate = c->flops() / median(c->seconds[form]);
      result.timings.push_back({kForms[form], c->m, c->k, c->n, rate, rate / result.peaks.flops});
    }
  }
  result.rows_alike = rows_alike(dtype, stream);
  return result;
}

TrainBenchmark benchmark_training(const LlamaConfig& config, DType dtype,
                                  const TrainOptions& options, int rounds, Stream& stream) {
  auto model = make_model(config);
  model->parameters().allocate_weights(dtype, stream.device);
  model->parameters().initialize(options.seed, stream);
  const int64_t n = options.batch_size * options.seq_len;
  model->reserve_training(n);
  Optimizer optimizer(model->parameters(), options.adamw, stream);
  std::vector<int32_t> ids(static_cast<size_t>(n) + 1), positions(static_cast<size_t>(n));
  std::vector<AttentionSequence> sequences;
  const Rng rng(options.seed);
  for (size_t i = 0; i < ids.size(); ++i) {
    ids[i] = static_cast<int32_t>(rng.below(i, static_cast<uint64_t>(config.vocab_size)));
  }
  for (int64_t i = 0; i < n; ++i) {
    positions[static_cast<size_t>(i)] = static_cast<int32_t>(i % options.seq_len);
  }
  for (int64_t b = 0; b < options.batch_size; ++b) {
    const int64_t at = b * options.seq_len;
    sequences.push_back({at, options.seq_len, at, options.seq_len});
  }
  const TokenBatch batch{{ids.data(), static_cast<size_t>(n)},
                         positions,
                         {ids.data() + 1, static_cast<size_t>(n)},
                         sequences};
  std::vector<float> losses(static_cast<size_t>(n));
  const double targets = static_cast<double>(n * options.grad_accum);
  std::vector<double> seconds, peak;
  for (int round = 0; round <= rounds; ++round) {
    peak.push_back(fma_rate(stream));
    const double t = time_of([&] {
      for (int64_t i = 0; i < options.grad_accum; ++i) {
        model->loss(batch, losses, static_cast<float>(1 / targets), stream);
      }
      const double norm = optimizer.gradient_norm(stream);
      optimizer.update(round + 1, options.lr, norm, stream);
      synchronize(stream);
    });
    if (round > 0) seconds.push_back(t);  // the first touches the memory
  }
  TrainBenchmark result;
  result.tokens_per_second = targets / median(seconds);
  result.flops_per_second =
      result.tokens_per_second * config.training_flops_per_token(options.seq_len);
  result.peak_flops = median(peak);
  result.loss = std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(n);
  return result;
}

}  // namespace llmtool
