// What a training run will need, known before its first step.
#pragma once

#include <string>

#include "lib/train/trainer.h"

namespace llmtool {

struct TrainingPlan {
  int64_t parameters = 0, matmul_parameters = 0;
  int64_t tokens_per_step = 0, total_tokens = 0;
  double flops_per_token = 0;
  int64_t weight_bytes = 0, gradient_bytes = 0, optimizer_bytes = 0, activation_bytes = 0;
  int64_t packed_bytes = 0;  // weights once more, as the products read them; 0: not packed

  int64_t bytes() const {
    return weight_bytes + gradient_bytes + optimizer_bytes + activation_bytes + packed_bytes;
  }
};

// Weights are packed if the rest leaves the memory for it: it changes speed and no bit.
TrainingPlan plan_training(const Model& model, const TrainOptions& options, DType dtype,
                           Stream& stream);

// A table, or one JSON object on a line.
std::string describe_plan(const TrainingPlan& plan, bool json);

}  // namespace llmtool
