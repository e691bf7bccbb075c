#include "lib/train/plan.h"

#include <nlohmann/json.hpp>

#include "lib/base/formatted.h"
#include "lib/base/machine.h"
#include "lib/base/progress.h"

namespace llmtool {
namespace {

using Json = nlohmann::ordered_json;

std::string row(const char* label, const std::string& value) {
  return formatted("%-28s %s\n", label, value.c_str());
}

}  // namespace

TrainingPlan plan_training(const Model& model, const TrainOptions& o, DType dtype, Stream& stream) {
  const MemoryPlan memory = model.plan_training(o.batch_size * o.seq_len, dtype, stream);
  TrainingPlan p;
  p.parameters = model.parameters().count();
  p.matmul_parameters = model.config().matmul_parameter_count();
  p.tokens_per_step = o.batch_size * o.grad_accum * o.seq_len;
  p.total_tokens = p.tokens_per_step * o.steps;
  p.flops_per_token = model.config().training_flops_per_token(o.seq_len);
  p.weight_bytes = memory.weights;
  p.gradient_bytes = memory.gradients;
  p.optimizer_bytes = Optimizer::bytes(model.parameters(), dtype);
  p.activation_bytes = memory.activations;
  // Some memory stays for the files that are read, and for everything else.
  const double room = 0.9 * static_cast<double>(available_memory());
  if (static_cast<double>(p.bytes() + memory.packed) <= room) p.packed_bytes = memory.packed;
  return p;
}

std::string describe_plan(const TrainingPlan& p, bool json) {
  if (json) {
    const Json j = {{"parameters", p.parameters},
                    {"matmul_parameters", p.matmul_parameters},
                    {"tokens_per_step", p.tokens_per_step},
                    {"total_tokens", p.total_tokens},
                    {"flops_per_token", p.flops_per_token},
                    {"memory_bytes",
                     {{"weights", p.weight_bytes},
                      {"gradients", p.gradient_bytes},
                      {"optimizer", p.optimizer_bytes},
                      {"activations", p.activation_bytes},
                      {"packed_weights", p.packed_bytes},
                      {"total", p.bytes()}}}};
    return j.dump() + "\n";
  }
  const auto bytes = [](int64_t n) { return human_bytes(static_cast<double>(n)); };
  return row("parameters", human_count(static_cast<double>(p.parameters))) +
         row("tokens per step", human_count(static_cast<double>(p.tokens_per_step))) +
         row("tokens in all", human_count(static_cast<double>(p.total_tokens))) +
         row("FLOPs per token", formatted("%.4g", p.flops_per_token)) +
         row("FLOPs in all",
             formatted("%.4g", p.flops_per_token * static_cast<double>(p.total_tokens))) +
         row("memory: weights", bytes(p.weight_bytes)) +
         row("memory: gradients", bytes(p.gradient_bytes)) +
         row("memory: optimizer", bytes(p.optimizer_bytes)) +
         row("memory: activations", bytes(p.activation_bytes)) +
         row("memory: packed weights", bytes(p.packed_bytes)) +
         row("memory in all", bytes(p.bytes()));
}

}  // namespace llmtool
