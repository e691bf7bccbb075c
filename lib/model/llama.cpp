#include "lib/model/llama.h"

#include <cmath>

#include "kernels/loss/linear_cross_entropy.h"
#include "kernels/matmul/linear.h"
#include "lib/base/error.h"

namespace llmtool {
namespace {

constexpr int kLayerParameters = 9;  // in the order of list_parameters()
constexpr int kFirstLayer = 1;       // after the embedding

std::vector<Parameter> list_parameters(const LlamaConfig& c) {
  const int64_t C = c.hidden_size, F = c.intermediate_size;
  const int64_t q = c.num_attention_heads * c.head_dim, kv = c.num_key_value_heads * c.head_dim;
  const double std = c.initializer_range;
  // Matrices that add to the residual stream start smaller (Radford et al. 2019, GPT-2).
  const double residual = std / std::sqrt(2.0 * static_cast<double>(c.num_hidden_layers));
  std::vector<Parameter> list;
  list.push_back({"model.embed_tokens.weight", c.vocab_size, C, false, false, std});
  for (int64_t l = 0; l < c.num_hidden_layers; ++l) {
    const std::string at = concat("model.layers.", l, ".");
    list.push_back({at + "input_layernorm.weight", 1, C, true, false, 0});
    list.push_back({at + "self_attn.q_proj.weight", q, C, false, false, std});
    list.push_back({at + "self_attn.k_proj.weight", kv, C, false, true, std});
    list.push_back({at + "self_attn.v_proj.weight", kv, C, false, true, std});
    list.push_back({at + "self_attn.o_proj.weight", C, q, false, false, residual});
    list.push_back({at + "post_attention_layernorm.weight", 1, C, true, false, 0});
    list.push_back({at + "mlp.gate_proj.weight", F, C, false, false, std});
    list.push_back({at + "mlp.up_proj.weight", F, C, false, true, std});
    list.push_back({at + "mlp.down_proj.weight", C, F, false, false, residual});
  }
  list.push_back({"model.norm.weight", 1, C, true, false, 0});
  if (!c.tie_word_embeddings)
    list.push_back({"lm_head.weight", c.vocab_size, C, false, false, std});
  return list;
}

// Rotations per position of pair i (transformers, modeling_rope_utils.py).
double rope_frequency(const LlamaConfig& c, int64_t i) {
  const double exponent = 2.0 * static_cast<double>(i) / static_cast<double>(c.head_dim);
  const double f = std::pow(c.rope_theta, -exponent);
  const RopeScaling& r = c.rope_scaling;
  if (r.type == "linear") return f / r.factor;
  if (r.type != "llama3") return f;
  const double context = static_cast<double>(r.original_max_position_embeddings);
  const double wavelength = 2 * M_PI / f;
  if (wavelength < context / r.high_freq_factor) return f;
  if (wavelength > context / r.low_freq_factor) return f / r.factor;
  const double smooth =
      (context / wavelength - r.low_freq_factor) / (r.high_freq_factor - r.low_freq_factor);
  return (1 - smooth) * f / r.factor + smooth * f;
}

std::unique_ptr<Model> make_llama(const LlamaConfig& config) {
  return std::make_unique<Llama>(config);
}

const Register<ModelFamily> llama{
    {"llama", "Llama 1-3, SmolLM2, TinyLlama and alike: config.json with model_type llama",
     make_llama}};

}  // namespace

Llama::Llama(const LlamaConfig& config)
    : config_(config),
      q_cols_(config.num_attention_heads * config.head_dim),
      kv_cols_(config.num_key_value_heads * config.head_dim),
      parameters_(list_parameters(config)) {}

Llama::Weights Llama::weights_of(int64_t layer, bool gradients) const {
  const int first = kFirstLayer + static_cast<int>(layer) * kLayerParameters;
  const auto view = [&](int index, int count) {
    return gradients ? parameters_.gradient(first + index, count)
                     : parameters_.weight(first + index, count);
  };
  return {view(0, 1), view(1, 3), view(4, 1), view(5, 1), view(6, 2), view(8, 1)};
}

View Llama::head_weight(bool gradients) const {
  const int index =
      config_.tie_word_embeddings ? 0 : static_cast<int>(parameters_.list().size()) - 1;
  return gradients ? parameters_.gradient(index) : parameters_.weight(index);
}

Llama::Activations Llama::layout(Arena& arena, int64_t tokens, int64_t logit_rows, DType dtype,
                                 Purpose purpose) const {
  const int64_t C = config_.hidden_size, F = config_.intermediate_size;
  const int64_t H = config_.num_attention_heads, qkv = q_cols_ + 2 * kv_cols_;
  const bool training = purpose == Purpose::kTraining;
  Activations a;
  a.tokens = tokens;
  a.ids = arena.take_array<int32_t>(tokens);
  a.positions = arena.take_array<int32_t>(tokens);
  a.targets = arena.take_array<int32_t>(tokens);
  View stream = arena.take(dtype, tokens, C);
  for (int64_t l = 0; l < config_.num_hidden_layers; ++l) {
    if (!training && l > 0) {
      a.layers.push_back(a.layers[0]);
      continue;
    }
    Layer layer;
    layer.x = stream;
    layer.rstd1 = arena.take(DType::kF32, tokens, 1);
    layer.qkv = arena.take(dtype, tokens, qkv);
    layer.attended = arena.take(dtype, tokens, q_cols_);
    layer.lse = arena.take(DType::kF32, tokens, H);
    layer.middle = training ? arena.take(dtype, tokens, C) : stream;
    layer.rstd2 = arena.take(DType::kF32, tokens, 1);
    layer.gate_up = arena.take(dtype, tokens, 2 * F);
    if (training) stream = arena.take(dtype, tokens, C);
    a.layers.push_back(layer);
  }
  a.last = stream;
  a.last_rstd = arena.take(DType::kF32, tokens, 1);
  a.normed = arena.take(dtype, tokens, C);
  a.activated = arena.take(dtype, tokens, F);
  a.losses = arena.take(DType::kF32, tokens, 1);
  const int64_t rows =
      training ? linear_cross_entropy_rows(tokens, config_.vocab_size)
               : std::max(logit_rows, linear_cross_entropy_rows(tokens, config_.vocab_size));
  a.logits = arena.take(DType::kF32, rows, config_.vocab_size);
  a.picked = arena.take(dtype, rows, C);
  if (!training) return a;
  a.dlogits = dtype == DType::kF32 ? a.logits : arena.take(dtype, rows, config_.vocab_size);
  a.dx = arena.take(dtype, tokens, C);
  a.dnormed = arena.take(dtype, tokens, C);
  a.dqkv = arena.take(dtype, tokens, qkv);
  a.dattended = arena.take(dtype, tokens, q_cols_);
  a.delta = arena.take(DType::kF32, tokens, H);
  return a;
}

MemoryPlan Llama::plan_training(int64_t tokens, DType dtype, Stream& stream) const {
  Arena count(Device::kCpu);
  layout(count, tokens, 0, dtype, Purpose::kTraining);
  return {.weights = parameters_.size() * size_of(dtype),
          .gradients = parameters_.size() * size_of(DType::kF32),
          .activations = count.size(),
          .packed = PackedWeights::bytes(matrices(dtype), true, stream)};
}

void Llama::reserve(int64_t tokens, int64_t logit_rows, Purpose purpose) {
  const DType dtype = parameters_.dtype();
  Arena count(parameters_.device());
  layout(count, tokens, logit_rows, dtype, purpose);
  act_ = {};
  arena_.reset();
  packed_.clear();
  arena_ = std::make_unique<Arena>(parameters_.device(), count.size());
  act_ = layout(*arena_, tokens, logit_rows, dtype, purpose);
  purpose_ = purpose;
}

void Llama::reserve_training(int64_t tokens, bool packs) {
  if (!parameters_.has_gradients()) parameters_.allocate_gradients();
  reserve(tokens, 0, Purpose::kTraining);
  packs_ = packs;
}

void Llama::reserve_inference(int64_t tokens, int64_t logit_rows) {
  reserve(tokens, logit_rows, Purpose::kInference);
}

void Llama::prepare_rope_table(Stream& stream) {
  if (rope_table_.data() != nullptr) return;
  const int64_t P = config_.max_position_embeddings, D = config_.head_dim;
  std::vector<float> table(static_cast<size_t>(P * D));
  for (int64_t i = 0; i < D / 2; ++i) {
    const double f = rope_frequency(config_, i);
    for (int64_t p = 0; p < P; ++p) {
      const double angle = static_cast<double>(p) * f;
      table[static_cast<size_t>(p * D + i)] = static_cast<float>(std::cos(angle));
      table[static_cast<size_t>(p * D + D / 2 + i)] = static_cast<float>(std::sin(angle));
    }
  }
  const int64_t bytes = P * D * size_of(DType::kF32);
  rope_table_ = Buffer(parameters_.device(), bytes);
  copy_memory(rope_table_.data(), parameters_.device(), table.data(), Device::kCpu, bytes, stream);
}

// Four of each layer, as in Packed, then the head. Without weights the views have no memory.
std::vector<MatrixToPack> Llama::matrices(DType dtype) const {
  const bool there = parameters_.version() > 0 && parameters_.dtype() == dtype;
  const int64_t C = config_.hidden_size, F = config_.intermediate_size;
  const auto shape = [&](int64_t rows, int64_t cols) {
    return View{nullptr, rows, cols, cols, dtype};
  };
  Weights w{.norm1 = {},
            .qkv = shape(q_cols_ + 2 * kv_cols_, C),
            .o = shape(C, q_cols_),
            .norm2 = {},
            .gate_up = shape(2 * F, C),
            .down = shape(C, F)};
  std::vector<MatrixToPack> list;
  for (int64_t l = 0; l < config_.num_hidden_layers; ++l) {
    if (there) w = weights_of(l, false);
    list.insert(list.end(), {{w.qkv}, {w.o}, {w.gate_up, true}, {w.down}});
  }
  list.push_back({there ? head_weight(false) : shape(config_.vocab_size, C)});
  return list;
}

void Llama::pack_weights(Stream& stream) {
  packed_.refresh(matrices(parameters_.dtype()), purpose_ == Purpose::kTraining,
                  parameters_.version(), stream);
}

// What was laid out of other weights is not used.
Llama::Packed Llama::packed_of(int64_t layer, bool gradients) const {
  if (!packed_.is_of(parameters_.version())) return {};
  const auto at = [&](size_t i) {
    i += static_cast<size_t>(layer) * 4;
    return gradients ? packed_.gradient(i) : packed_.forward(i);
  };
  return {at(0), at(1), at(2), at(3)};
}

const void* Llama::packed_head(bool gradients) const {
  const size_t i = static_cast<size_t>(config_.num_hidden_layers) * 4;
  if (!packed_.is_of(parameters_.version())) return nullptr;
  return gradients ? packed_.gradient(i) : packed_.forward(i);
}

void Llama::check_batch(const TokenBatch& batch) const {
  const auto n = static_cast<int64_t>(batch.ids.size());
  LLMTOOL_ASSERT(n <= act_.tokens && batch.positions.size() == batch.ids.size());
  for (const int32_t id : batch.ids) {
    check(id >= 0 && id < config_.vocab_size, Fault::kInput, "token id ", id,
          " is outside the model's vocabulary of ", config_.vocab_size,
          ": was the text tokenised with another tokenizer?");
  }
  for (const int32_t p : batch.positions) {
    check(p >= 0 && p < config_.max_position_embeddings, Fault::kInput, "position ", p,
          " is outside the model's context of ", config_.max_position_embeddings,
          " (max_position_embeddings)");
  }
  for (const int32_t t : batch.targets) {
    check(t == kIgnoredTarget || (t >= 0 && t < config_.vocab_size), Fault::kInput, "target id ", t,
          " is outside the model's vocabulary of ", config_.vocab_size);
  }
}

void Llama::upload(const TokenBatch& batch, Stream& stream) {
  prepare_rope_table(stream);
  const auto copy = [&](int32_t* to, std::span<const int32_t> from) {
    copy_memory(to, parameters_.device(), from.data(), Device::kCpu,
                static_cast<int64_t>(from.size_bytes()), stream);
  };
  copy(act_.ids, batch.ids);
  copy(act_.positions, batch.positions);
  if (!batch.targets.empty()) copy(act_.targets, batch.targets);
}

}  // namespace llmtool
