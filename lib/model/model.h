// A language model: its parameters, the loss with gradients, and the forward pass on a cache.
// Forward and backward are written out per family (lib/model/<family>.cpp); memory is planned
// before the first call and does not grow.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/attention/attention.h"
#include "kernels/loss/cross_entropy.h"
#include "lib/base/catalog.h"
#include "lib/model/config.h"
#include "lib/model/parameters.h"

namespace llmtool {

// N tokens on the host. Sequences cover all of them, in order.
struct TokenBatch {
  std::span<const int32_t> ids;        // (N), in [0, V)
  std::span<const int32_t> positions;  // (N), in [0, max_position_embeddings)
  std::span<const int32_t> targets;    // (N), kIgnoredTarget: no loss; empty for forward_cached
  std::span<const AttentionSequence> sequences;
};

// Keys and values of every layer for a fixed number of rows (positions of all sequences together).
// Whoever batches decides which rows a sequence owns: sequences' kv_begin and kv_count.
class KvCache {
 public:
  KvCache(const LlamaConfig& config, DType dtype, int64_t rows, Device device);

  int64_t rows() const { return rows_; }
  View k(int64_t layer) const { return view(2 * layer); }
  View v(int64_t layer) const { return view(2 * layer + 1); }
  static int64_t bytes_per_row(const LlamaConfig& config, DType dtype);

 private:
  View view(int64_t index) const;

  int64_t rows_, cols_;
  DType dtype_;
  Buffer buffer_;
};

// Bytes by kind, for plans.
struct MemoryPlan {
  int64_t weights = 0, gradients = 0, activations = 0;
  int64_t packed = 0;  // weights once more, as products read them
};

class Model {
 public:
  virtual ~Model() = default;

  virtual const LlamaConfig& config() const = 0;
  virtual Parameters& parameters() = 0;
  virtual const Parameters& parameters() const = 0;

  // Memory for loss() with gradients on batches of up to `tokens` tokens, without allocating it.
  virtual MemoryPlan plan_training(int64_t tokens, DType dtype, Stream& stream) const = 0;

  // Allocates what calls on up to `tokens` tokens need. Training: parameters get gradients; packs:
  // and weights are laid out for the products whenever they have changed (MemoryPlan::packed),
  // which takes memory for speed and changes no bit. logit_rows: the most rows that
  // forward_cached() is asked for.
  virtual void reserve_training(int64_t tokens, bool packs) = 0;
  virtual void reserve_inference(int64_t tokens, int64_t logit_rows) = 0;

  // losses[n] = cross-entropy of token n in nats, 0 where ignored. With gradient_scale != 0 adds
  // gradient_scale * d(sum of losses) / d(parameter) to the gradients (needs reserve_training).
  virtual void loss(const TokenBatch& batch, std::span<float> losses, float gradient_scale,
                    Stream& stream) = 0;

  // Logits of one token in each row of `rows` (indices into the batch), (rows, V) f32 on the host;
  // the keys and values of the batch are appended to the cache: the query tokens of a sequence are
  // its last q_count positions, those before them must be in the cache.
  virtual void forward_cached(const TokenBatch& batch, KvCache& cache,
                              std::span<const int64_t> rows, std::span<float> logits,
                              Stream& stream) = 0;
};

struct ModelFamily {
  std::string name;  // "llama": model_type of config.json
  std::string summary;
  std::unique_ptr<Model> (*make)(const LlamaConfig& config);
};

// A model without weights; parameters().allocate_weights() and initialize() or load() follow.
std::unique_ptr<Model> make_model(const LlamaConfig& config);

// The model of a Hugging Face folder (config.json, safetensors), its weights as `dtype`.
std::unique_ptr<Model> load_model(const fs::path& folder, DType dtype, Stream& stream);

// Writes config.json and model.safetensors into an existing folder.
void save_model(const Model& model, const fs::path& folder, Stream& stream);

}  // namespace llmtool
