// The Llama against Hugging Face transformers in float64, at every level of the CPU.
#include "tests/model/llama_golden.h"

#include "kernels/optim/adamw.h"
#include "kernels/optim/squared_norm.h"

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

    model->reserve_training(batch.tokens());
    const double want = golden.floats(part + ".loss")[0];
    CHECK(std::abs(model.mean_loss(batch) - want) < kF32Limit * want);
    for (const Parameter& p : model->parameters().list()) {
      CAPTURE(p.name);
      CHECK(largest_difference(model.gradient(p.name), golden.floats(part + ".grad." + p.name)) <
            kF32Limit);
    }
  });
}

double gradient_norm(GoldenModel& model) {
  double sum = 0;
  squared_norm({.out = make_view(&sum, 1, 1), .x = model->parameters().all_gradients()},
               model.stream());
  return std::sqrt(sum);
}

// AdamW on every parameter, decay on the matrices.
class Optimizer {
 public:
  explicit Optimizer(const Parameters& p)
      : m_(static_cast<size_t>(p.size())), v_(static_cast<size_t>(p.size())) {}

  void step(GoldenModel& model, float lr, float grad_scale) {
    Parameters& parameters = model->parameters();
    ++step_;
    for (size_t i = 0; i < parameters.list().size(); ++i) {
      const Parameter& p = parameters.list()[i];
      const View w = row_of(parameters.weight(static_cast<int>(i)));
      adamw({.w = w,
             .master = w,
             .m = make_view(m_.data() + p.offset, 1, p.count()),
             .v = make_view(v_.data() + p.offset, 1, p.count()),
             .g = row_of(parameters.gradient(static_cast<int>(i))),
             .step = step_,
             .lr = lr,
             .weight_decay = p.vector ? 0.0f : 0.1f,
             .grad_scale = grad_scale},
            model.stream());
    }
  }

 private:
  static View row_of(const View& v) { return make_view(v.row<float>(0), 1, v.count()); }

  std::vector<float> m_, v_;
  int64_t step_ = 0;
};

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
    const float clip = golden.floats("train.clip")[0];
    Optimizer optimizer(model->parameters());
    for (size_t step = 0; step < rates.size(); ++step) {
      CAPTURE(step);
      const OwnedBatch batch = golden_batch(golden, "train", static_cast<int64_t>(step));
      if (step == 0) model->reserve_training(batch.tokens());
      CHECK(std::abs(model.mean_loss(batch) - losses[step]) < kF32Limit * losses[step]);
      const double norm = gradient_norm(model);
      CHECK(std::abs(norm - norms[step]) < kF32Limit * norms[step]);
      optimizer.step(model, rates[step], static_cast<float>(std::min(1.0, clip / (norm + 1e-6))));
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
    model->reserve_training(batch.tokens());
    CHECK(std::abs(model.mean_loss(batch) - golden.floats("batch.loss")[0]) < kBf16LossLimit);
    for (const Parameter& p : model->parameters().list()) {
      CAPTURE(p.name);
      CHECK(relative_distance(model.gradient(p.name), golden.floats("batch.grad." + p.name)) <
            kBf16GradientLimit);
    }
  });
}
