#include <cmath>

#include "kernels/elementwise/elementwise.h"
#include "kernels/embedding/embedding.h"
#include "kernels/loss/linear_cross_entropy.h"
#include "kernels/matmul/linear.h"
#include "kernels/mlp/linear_swiglu.h"
#include "kernels/norm/rms_norm.h"
#include "kernels/rope/rope.h"
#include "lib/model/llama.h"

namespace llmtool {

Llama::Layer Llama::rows_of(const Layer& a, int64_t n) const {
  return {a.x.first_rows(n),        a.rstd1.first_rows(n),  a.qkv.first_rows(n),
          a.attended.first_rows(n), a.lse.first_rows(n),    a.middle.first_rows(n),
          a.rstd2.first_rows(n),    a.gate_up.first_rows(n)};
}

void Llama::rotate(const View& qkv, bool inverse, Stream& stream) const {
  const View table = make_view(reinterpret_cast<float*>(rope_table_.data()),
                               config_.max_position_embeddings, config_.head_dim);
  // Queries and keys lie side by side and turn alike.
  rope({.x = qkv.slice_cols(0, q_cols_ + kv_cols_),
        .positions = act_.positions,
        .table = table,
        .head_dim = config_.head_dim,
        .inverse = inverse},
       stream);
}

void Llama::store_in_cache(const Step& step, int64_t layer, const View& k, const View& v) {
  for (const AttentionSequence& s : step.batch->sequences) {
    const int64_t row = s.kv_begin + s.kv_count - s.q_count;
    LLMTOOL_ASSERT(s.kv_begin >= 0 && s.kv_count >= s.q_count &&
                   row + s.q_count <= step.cache->rows());
    const auto copy = [&](const View& to, const View& from) {
      convert({.y = to.slice_rows(row, s.q_count), .x = from.slice_rows(s.q_begin, s.q_count)},
              *step.stream);
    };
    copy(step.cache->k(layer), k);
    copy(step.cache->v(layer), v);
  }
}

void Llama::forward_attention(const Step& step, int64_t layer, const Layer& a, const Weights& w) {
  Stream& stream = *step.stream;
  const View normed = act_.normed.first_rows(step.n);
  rms_norm({.y = normed,
            .sum = {},
            .rstd = a.rstd1,
            .x = a.x,
            .residual = {},
            .w = w.norm1,
            .eps = static_cast<float>(config_.rms_norm_eps)},
           stream);
  const Packed packed = packed_of(layer, false);
  linear({.y = a.qkv, .x = normed, .w = w.qkv, .packed = packed.qkv}, stream);
  rotate(a.qkv, false, stream);
  View k = a.qkv.slice_cols(q_cols_, kv_cols_), v = a.qkv.slice_cols(q_cols_ + kv_cols_, kv_cols_);
  if (step.cache != nullptr) {
    store_in_cache(step, layer, k, v);
    k = step.cache->k(layer);
    v = step.cache->v(layer);
  }
  attention({.out = a.attended,
             .lse = a.lse,
             .q = a.qkv.slice_cols(0, q_cols_),
             .k = k,
             .v = v,
             .sequences = step.batch->sequences.data(),
             .sequence_count = static_cast<int64_t>(step.batch->sequences.size()),
             .heads = config_.num_attention_heads,
             .kv_heads = config_.num_key_value_heads,
             .head_dim = config_.head_dim,
             .scale = static_cast<float>(1 / std::sqrt(static_cast<double>(config_.head_dim)))},
            stream);
  linear({.y = a.middle, .x = a.attended, .w = w.o, .residual = a.x, .packed = packed.o}, stream);
}

void Llama::forward_mlp(const Step& step, int64_t layer, const Layer& a, const Weights& w,
                        const View& out) {
  Stream& stream = *step.stream;
  const View normed = act_.normed.first_rows(step.n);
  const View activated = act_.activated.first_rows(step.n);
  rms_norm({.y = normed,
            .sum = {},
            .rstd = a.rstd2,
            .x = a.middle,
            .residual = {},
            .w = w.norm2,
            .eps = static_cast<float>(config_.rms_norm_eps)},
           stream);
  const Packed packed = packed_of(layer, false);
  linear_swiglu(
      {.y = activated, .gate_up = a.gate_up, .x = normed, .w = w.gate_up, .packed = packed.gate_up},
      stream);
  linear({.y = out, .x = activated, .w = w.down, .residual = a.middle, .packed = packed.down},
         stream);
}

void Llama::forward(const Step& step) {
  const int64_t layers = config_.num_hidden_layers;
  embedding({.y = act_.layers[0].x.first_rows(step.n), .w = parameters_.weight(0), .ids = act_.ids},
            *step.stream);
  for (int64_t l = 0; l < layers; ++l) {
    const Layer a = rows_of(act_.layers[static_cast<size_t>(l)], step.n);
    const Weights w = weights_of(l, false);
    const View& out = l + 1 < layers ? act_.layers[static_cast<size_t>(l) + 1].x : act_.last;
    forward_attention(step, l, a, w);
    forward_mlp(step, l, a, w, out.first_rows(step.n));
  }
}

void Llama::loss(const TokenBatch& batch, std::span<float> losses, float gradient_scale,
                 Stream& stream) {
  const auto n = static_cast<int64_t>(batch.ids.size());
  const bool gradients = gradient_scale != 0;
  LLMTOOL_ASSERT(batch.targets.size() == batch.ids.size() && losses.size() == batch.ids.size());
  LLMTOOL_ASSERT(!gradients || purpose_ == Purpose::kTraining);
  if (n == 0) return;
  check_batch(batch);
  upload(batch, stream);
  if (purpose_ == Purpose::kTraining && packs_) pack_weights(stream);
  const Step step{n, &batch, nullptr, &stream};
  forward(step);
  const View normed = act_.normed.first_rows(n);
  rms_norm({.y = normed,
            .sum = {},
            .rstd = act_.last_rstd.first_rows(n),
            .x = act_.last.first_rows(n),
            .residual = {},
            .w = parameters_.weight(parameters_.find("model.norm.weight")),
            .eps = static_cast<float>(config_.rms_norm_eps)},
           stream);
  const View out = act_.losses.first_rows(n);
  linear_cross_entropy({.loss = out,
                        .x = normed,
                        .w = head_weight(false),
                        .targets = act_.targets,
                        .dx = gradients ? act_.dnormed.first_rows(n) : View{},
                        .dw = gradients ? head_weight(true) : View{},
                        .scale = gradient_scale,
                        .logits = act_.logits,
                        .dlogits = gradients ? act_.dlogits : View{},
                        .packed = packed_head(false),
                        .packed_gradient = packed_head(true)},
                       stream);
  if (gradients) backward(step);
  copy_memory(losses.data(), Device::kCpu, out.data, parameters_.device(),
              static_cast<int64_t>(losses.size_bytes()), stream);
  synchronize(stream);
}

void Llama::forward_cached(const TokenBatch& batch, KvCache& cache, std::span<const int64_t> rows,
                           std::span<float> logits, Stream& stream) {
  const auto n = static_cast<int64_t>(batch.ids.size());
  const auto wanted = static_cast<int64_t>(rows.size());
  LLMTOOL_ASSERT(wanted <= act_.logits.rows &&
                 static_cast<int64_t>(logits.size()) == wanted * config_.vocab_size);
  if (n == 0) return;
  check_batch(batch);
  upload(batch, stream);
  pack_weights(stream);
  forward({n, &batch, &cache, &stream});
  if (wanted == 0) return;
  const View picked = act_.picked.first_rows(wanted);
  for (int64_t i = 0; i < wanted; ++i) {
    convert(
        {.y = picked.slice_rows(i, 1), .x = act_.last.slice_rows(rows[static_cast<size_t>(i)], 1)},
        stream);
  }
  rms_norm({.y = picked,
            .sum = {},
            .rstd = {},
            .x = picked,
            .residual = {},
            .w = parameters_.weight(parameters_.find("model.norm.weight")),
            .eps = static_cast<float>(config_.rms_norm_eps)},
           stream);
  const View out = act_.logits.first_rows(wanted);
  linear({.y = out, .x = picked, .w = head_weight(false), .packed = packed_head(false)}, stream);
  copy_memory(logits.data(), Device::kCpu, out.data, parameters_.device(),
              static_cast<int64_t>(logits.size_bytes()), stream);
  synchronize(stream);
}

}  // namespace llmtool
