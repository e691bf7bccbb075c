// The Llama against Hugging Face transformers in float64, at every level of the CPU.
#include "tests/model/llama_golden.h"

#include "kernels/optim/adamw.h"
#include "kernels/optim/squared_norm.h"
#include "lib/train/optimizer.h"

using namespace llmtool;

namespace {

// f32 against f64, of the largest element of each tensor; PyTorch's own f32 lands within 4e-6.
constexpr double kF32Limit = 2e-5;
// bf16 against f64, of the norm of each tensor; transformers' own bf16 lands within 0.027 and
// 0.094.
constexpr double kBf16LogitsLimit = 0.05, kBf16GradientLimit = 0.15, kBf16LossLimit = 0.01;

template <class F>
void for_each_model_and_level(F&& f) {
  for (const std::string name : kGoldenModels) {
    for (const Isa isa : available_isas()) {
      CAPTURE(name);
      CAPTURE(name_of(isa));
      f(Golden(name), isa);
    }
  }
}

// Logits, loss and every gradient of one part of the golden.
void check_forward_and_backward(const std::string& part) {
  for_each_model_and_level([&](const Golden& golden, Isa isa) {
    GoldenModel model(golden, DType::kF32, isa);
    const OwnedBatch batch = golden_batch(golden, part);
    CHECK(largest_difference(model.logits(batch), golden.floats(part + ".logits")) < kF32Limit);

    model->reserve_training(batch.tokens(), /*packs=*/true);
    const double want = golden.floats(part + ".loss")[0];
    CHECK(std::abs(model.mean_loss(batch) - want) < kF32Limit * want);
    for (const Parameter& p : model->parameters().list()) {
      CAPTURE(p.name);
      CHECK(largest_difference(model.gradient(p.name), golden.floats(part + ".grad." + p.name)) <
            kF32Limit);
    }
  });
}

}  // namespace

TEST_CASE("llama: logits, loss and gradients are those of transformers") {
  check_forward_and_backward("batch");
}

TEST_CASE("llama: packed documents do not see each other") {
  check_forward_and_backward("packed");
}

TEST_CASE("llama: ten steps of AdamW are those of PyTorch") {
  for_each_model_and_level([](const Golden& golden, Isa isa) {
    GoldenModel model(golden, DType::kF32, isa);
    const auto rates = golden.floats("train.lr"), losses = golden.floats("train.loss");
    const auto norms = golden.floats("train.grad_norm");
    AdamWOptions options;
    options.clip = golden.floats("train.clip")[0];
    Optimizer optimizer(model->parameters(), options, model.stream());
    for (size_t step = 0; step < rates.size(); ++step) {
      CAPTURE(step);
      const OwnedBatch batch = golden_batch(golden, "train", static_cast<int64_t>(step));
      if (step == 0) model->reserve_training(batch.tokens(), /*packs=*/true);
      CHECK(std::abs(model.mean_loss(batch) - losses[step]) < kF32Limit * losses[step]);
      const double norm = optimizer.gradient_norm(model.stream());
      CHECK(std::abs(norm - norms[step]) < kF32Limit * norms[step]);
      optimizer.update(static_cast<int64_t>(step) + 1, rates[step], norm, model.stream());
    }
    for (const Parameter& p : model->parameters().list()) {
      CAPTURE(p.name);
      CHECK(largest_difference(model.weight(p.name), golden.floats("train.final." + p.name)) <
            kF32Limit);
    }
  });
}

TEST_CASE("llama: bf16 stays near the reference") {
  for_each_model_and_level([](const Golden& golden, Isa isa) {
    GoldenModel model(golden, DType::kBF16, isa);
    const OwnedBatch batch = golden_batch(golden, "batch");
    CHECK(relative_distance(model.logits(batch), golden.floats("batch.logits")) < kBf16LogitsLimit);
    model->reserve_training(batch.tokens(), /*packs=*/true);
    CHECK(std::abs(model.mean_loss(batch) - golden.floats("batch.loss")[0]) < kBf16LossLimit);
    for (const Parameter& p : model->parameters().list()) {
      CAPTURE(p.name);
      CHECK(relative_distance(model.gradient(p.name), golden.floats("batch.grad." + p.name)) <
            kBf16GradientLimit);
    }
  });
}

TEST_CASE("llama: ten steps in bf16 with f32 master weights stay near the reference") {
  for_each_model_and_level([](const Golden& golden, Isa isa) {
    GoldenModel model(golden, DType::kBF16, isa);
    const auto rates = golden.floats("train.lr"), losses = golden.floats("train.loss");
    AdamWOptions options;
    options.clip = golden.floats("train.clip")[0];
    Optimizer optimizer(model->parameters(), options, model.stream());
    for (size_t step = 0; step < rates.size(); ++step) {
      CAPTURE(step);
      const OwnedBatch batch = golden_batch(golden, "train", static_cast<int64_t>(step));
      if (step == 0) model->reserve_training(batch.tokens(), /*packs=*/true);
      CHECK(std::abs(model.mean_loss(batch) - losses[step]) < kBf16LossLimit);
      optimizer.update(static_cast<int64_t>(step) + 1, rates[step],
                       optimizer.gradient_norm(model.stream()), model.stream());
    }
  });
}
