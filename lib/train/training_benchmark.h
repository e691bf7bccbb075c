// Whole optimizer steps on random tokens: how fast, and where the time goes.
#pragma once

#include <string>
#include <vector>

#include "lib/model/config.h"
#include "lib/train/peaks.h"
#include "lib/train/trainer.h"

namespace llmtool {

// One operation of a step. Figures of a step: medians of the profiled rounds.
struct OperationTiming {
  std::string name;
  int depth = 0;  // 1: called by the operation above it, whose time its own is part of
  int64_t calls = 0;
  double seconds = 0;
  Cost cost;
};

struct TrainingBenchmark {
  Peaks peaks;
  double step_seconds = 0;      // of steps that nobody watches
  double profiled_seconds = 0;  // of the steps behind `operations`
  double outside_seconds = 0;   // of those, outside of operations
  double tokens_per_second = 0, flops_per_second = 0;
  double utilisation = 0;                   // flops_per_second / peaks.flops(dtype): MFU
  double loss = 0;                          // of the last step
  std::vector<OperationTiming> operations;  // longest first, each followed by those it calls
};

// `rounds` times: the peaks, a step without profile (batch_size x grad_accum windows of seq_len),
// a step with it. Model flops are LlamaConfig::training_flops_per_token.
TrainingBenchmark benchmark_training(LlamaConfig config, DType dtype, const TrainOptions& options,
                                     int rounds, int64_t memory_bytes, Stream& stream);

}  // namespace llmtool
