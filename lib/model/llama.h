// The Llama family (Touvron et al. 2023, arXiv:2302.13971; Hugging Face's LlamaForCausalLM):
// RMSNorm before attention and MLP, rotary embedding, grouped key/value heads, SwiGLU, no biases.
#pragma once

#include <vector>

#include "lib/model/model.h"
#include "lib/model/packed_weights.h"

namespace llmtool {

class Llama final : public Model {
 public:
  explicit Llama(const LlamaConfig& config);

  const LlamaConfig& config() const override { return config_; }
  Parameters& parameters() override { return parameters_; }
  const Parameters& parameters() const override { return parameters_; }
  MemoryPlan plan_training(int64_t tokens, DType dtype, Stream& stream) const override;
  void reserve_training(int64_t tokens, bool packs) override;
  void reserve_inference(int64_t tokens, int64_t logit_rows) override;
  void loss(const TokenBatch& batch, std::span<float> losses, float gradient_scale,
            Stream& stream) override;
  void forward_cached(const TokenBatch& batch, KvCache& cache, std::span<const int64_t> rows,
                      std::span<float> logits, Stream& stream) override;

 private:
  enum class Purpose { kTraining, kInference };

  // What backward reads of a layer; in inference all layers share one.
  struct Layer {
    View x;         // (N, C) input of the layer
    View rstd1;     // (N, 1) f32
    View qkv;       // (N, (H + 2 Hkv) * D), rotated
    View attended;  // (N, H*D)
    View lse;       // (N, H) f32
    View middle;    // (N, C) x + attention
    View rstd2;     // (N, 1) f32
    View gate_up;   // (N, 2F); backward puts the gradient in its place
  };
  // All memory of one purpose, for up to `tokens` tokens.
  struct Activations {
    int64_t tokens = 0;
    int32_t *ids = nullptr, *positions = nullptr, *targets = nullptr;
    std::vector<Layer> layers;
    View last;             // (N, C) output of the last layer
    View last_rstd;        // (N, 1) f32
    View normed;           // (N, C) what a matmul reads
    View activated;        // (N, F)
    View losses;           // (N, 1) f32
    View logits, dlogits;  // (R, V)
    View picked;           // (R, C) inference: the rows that get logits
    View dx, dnormed;      // (N, C)
    View dqkv, dattended;  // like qkv, attended
    View delta;            // (N, H) f32
  };
  struct Weights {
    View norm1, qkv, o, norm2, gate_up, down;
  };
  // The matrices of a layer, or all of them null, as they are laid out for products or for input
  // gradients.
  struct Packed {
    const void *qkv = nullptr, *o = nullptr, *gate_up = nullptr, *down = nullptr;
  };
  // A batch cut out of the activations: views of exactly N rows, ids on the device.
  struct Step {
    int64_t n;
    const TokenBatch* batch;
    KvCache* cache;
    Stream* stream;
  };

  Activations layout(Arena& arena, int64_t tokens, int64_t logit_rows, DType dtype,
                     Purpose purpose) const;
  void reserve(int64_t tokens, int64_t logit_rows, Purpose purpose);
  void prepare_rope_table(Stream& stream);
  std::vector<MatrixToPack> matrices(DType dtype) const;
  void pack_weights(Stream& stream);
  Packed packed_of(int64_t layer, bool gradients) const;
  const void* packed_head(bool gradients) const;
  void check_batch(const TokenBatch& batch) const;
  void upload(const TokenBatch& batch, Stream& stream);
  Weights weights_of(int64_t layer, bool gradients) const;
  View head_weight(bool gradients) const;

  void forward(const Step& step);
  void forward_attention(const Step& step, int64_t layer, const Layer& a, const Weights& w);
  void forward_mlp(const Step& step, int64_t layer, const Layer& a, const Weights& w,
                   const View& out);
  void store_in_cache(const Step& step, int64_t layer, const View& k, const View& v);
  void backward(const Step& step);
  void backward_attention(const Step& step, const Layer& a, const Weights& w, const Weights& dw,
                          const Packed& packed);
  void backward_mlp(const Step& step, const Layer& a, const Weights& w, const Weights& dw,
                    const Packed& packed);
  void rotate(const View& qkv, bool inverse, Stream& stream) const;
  Layer rows_of(const Layer& layer, int64_t n) const;

  LlamaConfig config_;
  int64_t q_cols_, kv_cols_;  // H*D, Hkv*D
  Parameters parameters_;
  std::unique_ptr<Arena> arena_;
  Activations act_;
  Purpose purpose_ = Purpose::kInference;
  Buffer rope_table_;
  bool packs_ = false;    // weights for training
  PackedWeights packed_;  // of matrices(), or of none
};

}  // namespace llmtool
