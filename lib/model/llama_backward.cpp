// What forward keeps is what is dear to compute (the outputs of the matmuls); norms and SwiGLU are
// computed again here.
#include <cmath>

#include "kernels/embedding/embedding.h"
#include "kernels/matmul/linear.h"
#include "kernels/mlp/linear_swiglu.h"
#include "kernels/norm/rms_norm.h"
#include "lib/model/llama.h"

namespace llmtool {

void Llama::backward_mlp(const Step& step, const Layer& a, const Weights& w, const Weights& dw,
                         const Packed& packed) {
  Stream& stream = *step.stream;
  const View dx = act_.dx.first_rows(step.n), dnormed = act_.dnormed.first_rows(step.n);
  const View normed = act_.normed.first_rows(step.n);
  const View activated = act_.activated.first_rows(step.n);

  linear_swiglu_backward(
      {.gate_up = a.gate_up, .y = activated, .dout = dx, .w = w.down, .packed = packed.down},
      stream);
  linear_weight_gradient({.dw = dw.down, .dy = dx, .x = activated}, stream);

  rms_norm({.y = normed,
            .sum = {},
            .rstd = {},
            .x = a.middle,
            .residual = {},
            .w = w.norm2,
            .eps = static_cast<float>(config_.rms_norm_eps)},
           stream);
  linear_weight_gradient({.dw = dw.gate_up, .dy = a.gate_up, .x = normed}, stream);
  linear_input_gradient({.dx = dnormed, .dy = a.gate_up, .w = w.gate_up, .packed = packed.gate_up},
                        stream);
  rms_norm_backward({.dx = dx,
                     .dw = dw.norm2,
                     .dy = dnormed,
                     .dsum = dx,
                     .s = a.middle,
                     .w = w.norm2,
                     .rstd = a.rstd2},
                    stream);
}

void Llama::backward_attention(const Step& step, const Layer& a, const Weights& w,
                               const Weights& dw, const Packed& packed) {
  Stream& stream = *step.stream;
  const View dx = act_.dx.first_rows(step.n), dnormed = act_.dnormed.first_rows(step.n);
  const View normed = act_.normed.first_rows(step.n), dqkv = act_.dqkv.first_rows(step.n);
  const View dattended = act_.dattended.first_rows(step.n);
  const auto q = [&](const View& v) { return v.slice_cols(0, q_cols_); };
  const auto k = [&](const View& v) { return v.slice_cols(q_cols_, kv_cols_); };
  const auto v = [&](const View& x) { return x.slice_cols(q_cols_ + kv_cols_, kv_cols_); };

  linear_weight_gradient({.dw = dw.o, .dy = dx, .x = a.attended}, stream);
  linear_input_gradient({.dx = dattended, .dy = dx, .w = w.o, .packed = packed.o}, stream);
  attention_backward(
      {.dq = q(dqkv),
       .dk = k(dqkv),
       .dv = v(dqkv),
       .dout = dattended,
       .out = a.attended,
       .lse = a.lse,
       .q = q(a.qkv),
       .k = k(a.qkv),
       .v = v(a.qkv),
       .delta = act_.delta.first_rows(step.n),
       .sequences = step.batch->sequences.data(),
       .sequence_count = static_cast<int64_t>(step.batch->sequences.size()),
       .heads = config_.num_attention_heads,
       .kv_heads = config_.num_key_value_heads,
       .head_dim = config_.head_dim,
       .scale = static_cast<float>(1 / std::sqrt(static_cast<double>(config_.head_dim)))},
      stream);
  rotate(dqkv, true, stream);

  rms_norm({.y = normed,
            .sum = {},
            .rstd = {},
            .x = a.x,
            .residual = {},
            .w = w.norm1,
            .eps = static_cast<float>(config_.rms_norm_eps)},
           stream);
  linear_weight_gradient({.dw = dw.qkv, .dy = dqkv, .x = normed}, stream);
  linear_input_gradient({.dx = dnormed, .dy = dqkv, .w = w.qkv, .packed = packed.qkv}, stream);
  rms_norm_backward({.dx = dx,
                     .dw = dw.norm1,
                     .dy = dnormed,
                     .dsum = dx,
                     .s = a.x,
                     .w = w.norm1,
                     .rstd = a.rstd1},
                    stream);
}

// From act_.dnormed, the gradient of the normed output of the last layer.
void Llama::backward(const Step& step) {
  const int norm = parameters_.find("model.norm.weight");
  const View dx = act_.dx.first_rows(step.n);
  rms_norm_backward({.dx = dx,
                     .dw = parameters_.gradient(norm),
                     .dy = act_.dnormed.first_rows(step.n),
                     .dsum = {},
                     .s = act_.last.first_rows(step.n),
                     .w = parameters_.weight(norm),
                     .rstd = act_.last_rstd.first_rows(step.n)},
                    *step.stream);
  for (int64_t l = config_.num_hidden_layers - 1; l >= 0; --l) {
    const Layer a = rows_of(act_.layers[static_cast<size_t>(l)], step.n);
    const Weights w = weights_of(l, false), dw = weights_of(l, true);
    const Packed packed = packed_of(l, true);
    backward_mlp(step, a, w, dw, packed);
    backward_attention(step, a, w, dw, packed);
  }
  embedding_backward({.dw = parameters_.gradient(0), .dy = dx, .ids = act_.ids}, *step.stream);
}

}  // namespace llmtool
