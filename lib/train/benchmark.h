// `llmtool bench`: what the machine can do, what the matrix products and a whole training step
// reach of it. Everything is timed in rounds, one after the other in each round, and reported as
// medians, so that a machine whose speed drifts treats all alike.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/model/config.h"
#include "lib/train/trainer.h"

namespace llmtool {

struct Peaks {
  double flops = 0;       // f32 multiply-adds per second at the stream's level, all its threads
  double read_bytes = 0;  // bytes per second read from memory (256 MiB)
};
Peaks measure_peaks(int rounds, Stream& stream);

struct MatmulTiming {
  std::string form;  // forward, input gradient, weight gradient
  int64_t m = 0, k = 0, n = 0;
  double flops = 0;       // per second
  double peak_share = 0;  // of Peaks::flops, the medians of the same rounds
};

struct MatmulBenchmark {
  Peaks peaks;
  std::vector<MatmulTiming> timings;
  bool rows_alike = true;  // every row of M = 512 has the bits of that row alone
};
MatmulBenchmark benchmark_matmul(DType dtype, int rounds, Stream& stream);

struct TrainBenchmark {
  double tokens_per_second = 0, flops_per_second = 0, peak_flops = 0;
  double loss = 0;  // of the last step
};
// Whole optimizer steps (batch_size x grad_accum windows of seq_len) on random tokens.
TrainBenchmark benchmark_training(const LlamaConfig& config, DType dtype,
                                  const TrainOptions& options, int rounds, Stream& stream);

}  // namespace llmtool
