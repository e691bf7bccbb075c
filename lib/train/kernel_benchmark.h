// The operations of training and decoding one by one, on the shapes of real models, beside the
// machine's peaks.
#pragma once

#include <string>
#include <vector>

#include "lib/model/config.h"
#include "lib/train/peaks.h"

namespace llmtool {

struct NamedShape {
  std::string name;  // "135M"
  LlamaConfig config;
};

struct KernelBenchmarkOptions {
  std::vector<NamedShape> models;
  std::vector<int64_t> rows{512, 2048};     // M of the block matrices
  std::vector<int64_t> few_rows{1, 8, 32};  // of decoding: forward only, weights from memory
  int64_t head_rows = 512;
  int64_t seq_len = 2048;                     // of attention
  int64_t memory_bytes = int64_t{256} << 20;  // walked by what is bound by memory
  std::string only;                           // cases whose name contains it; empty: all
  int rounds = 5;
  // Each timing of a round is taken again, for at most so long, until the cores are this process's
  // alone before and after it (share_of_cores): on a machine shared with others, figures of the
  // program and not of them.
  double patience_seconds = 0;
};

struct KernelTiming {
  std::string name = {};  // "135M qkv forward bf16 512x576x960"
  std::string form = {},
              dtype = {};       // of a product: forward, input_gradient, weight_gradient, decode
  int64_t m = 0, k = 0, n = 0;  // of a product: M rows, K in, N out; else 0
  Cost cost = {};
  double seconds = 0;  // median of the rounds, of one call
  double fastest_seconds = 0;
  int disturbed = 0;  // rounds in which patience ran out
};

struct KernelBenchmark {
  Peaks peaks;
  std::vector<KernelTiming> timings;
};

// Every round measures the peaks, then every case. Products are timed from operands as the model
// leaves them: bf16 or f32, row-major; weights as it keeps them, packed once an optimizer step.
// Throws Fault::kUsage if no case has a name with `only`, or for patience where nothing tells the
// share of the cores.
KernelBenchmark benchmark_kernels(const KernelBenchmarkOptions& options, Stream& stream);

}  // namespace llmtool
