#include "lib/train/kernel_cases.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "kernels/attention/attention.h"
#include "kernels/loss/linear_cross_entropy.h"
#include "kernels/matmul/linear.h"
#include "kernels/matmul/linear_int8.h"
#include "kernels/mlp/linear_swiglu.h"
#include "kernels/norm/rms_norm.h"
#include "kernels/optim/adamw.h"
#include "kernels/optim/squared_norm.h"
#include "kernels/rope/rope.h"
#include "lib/base/error.h"

namespace llmtool {
namespace {

View over(const Buffer& b, int64_t rows, int64_t cols, DType dtype) {
  LLMTOOL_ASSERT(rows * cols * size_of(dtype) <= b.bytes());
  return View{b.data(), rows, cols, cols, dtype};
}

struct Product {
  const char* name;
  int64_t k, n;
};

std::vector<Product> products_of(const LlamaConfig& c) {
  const int64_t q = c.num_attention_heads * c.head_dim, kv = c.num_key_value_heads * c.head_dim;
  return {{"qkv", c.hidden_size, q + 2 * kv},
          {"o", q, c.hidden_size},
          {"gate_up", c.hidden_size, 2 * c.intermediate_size},
          {"down", c.intermediate_size, c.hidden_size}};
}

std::string shape(int64_t m, int64_t k, int64_t n) {
  return concat(m, "x", k, "x", n);
}

}  // namespace

KernelCases::KernelCases(const KernelBenchmarkOptions& options, Stream& stream)
    : options_(options), stream_(stream) {
  const auto largest = [](const std::vector<int64_t>& v) {
    return v.empty() ? int64_t{1} : *std::max_element(v.begin(), v.end());
  };
  const int64_t rows = std::max(
      {largest(options.rows), largest(options.few_rows), options.head_rows, options.seq_len});
  int64_t widest = 1, weight = 1, vocab = 1;
  for (const NamedShape& model : options.models) {
    const LlamaConfig& c = model.config;
    for (const Product& p : products_of(c)) {
      widest = std::max({widest, p.k, p.n});
      weight = std::max(weight, p.k * p.n);
    }
    weight = std::max(weight, c.vocab_size * c.hidden_size);
    vocab = std::max(vocab, c.vocab_size);
  }
  for (const DType dtype : {DType::kBF16, DType::kF32, DType::kI8}) {
    const int64_t size = size_of(dtype);
    Inputs in{Buffer(stream.device, rows * widest * size),
              Buffer(stream.device, rows * widest * size),
              Buffer(stream.device, std::max(weight * size, options.memory_bytes))};
    for (const Buffer* b : {&in.x, &in.dy, &in.w}) fill(over(*b, 1, b->bytes() / size, dtype));
    inputs_.emplace(dtype, std::move(in));
  }
  output_ = Buffer(stream.device, std::max(rows * widest, largest(options.few_rows) * vocab) * 4);
  weight_gradient_ = Buffer(stream.device, weight * 4);
  sequence_.push_back({0, options.seq_len, 0, options.seq_len});

  for (const NamedShape& model : options.models) {
    for (const DType dtype : {DType::kBF16, DType::kF32}) add_model(model, dtype);
    add_int8(model);
  }
  if (!options.models.empty()) {
    const LlamaConfig& c = options.models.front().config;
    add_norms(c, options.models.front().name);
    add_rope(c, options.models.front().name);
  }
  for (const DType dtype : {DType::kBF16, DType::kF32}) add_optimizer(dtype);
}

bool KernelCases::wanted(const std::string& name) const {
  return name.find(options_.only) != std::string::npos;
}

template <class Args>
void KernelCases::add(const std::string& name, const Op<Args>& op, const Args& args,
                      KernelTiming timing) {
  if (!wanted(name)) return;
  timing.name = name;
  timing.cost = args.cost();
  list_.push_back({timing, [op, args, this] { op(args, stream_); }});
}

void KernelCases::fill(const View& v) const {
  stream_.parallel_for(v.count(), 1 << 16, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      const float x =
          static_cast<float>(static_cast<uint64_t>(i) * 2654435761 % 2001) * 5e-4f - 0.5f;
      if (v.dtype == DType::kBF16) {
        v.row<bf16>(0)[i] = to_bf16(x);
      } else if (v.dtype == DType::kI8) {
        v.row<int8_t>(0)[i] = static_cast<int8_t>(200 * x);
      } else {
        v.row<float>(0)[i] = x;
      }
    }
  });
}

View KernelCases::buffer(int64_t rows, int64_t cols, DType dtype) {
  buffers_.emplace_back(stream_.device, rows * cols * size_of(dtype));
  return over(buffers_.back(), rows, cols, dtype);
}

View KernelCases::numbers(int64_t rows, int64_t cols, DType dtype) {
  const View v = buffer(rows, cols, dtype);
  fill(v);
  return v;
}

void KernelCases::add_model(const NamedShape& model, DType dtype) {
  const LlamaConfig& c = model.config;
  for (const int64_t m : options_.rows) {
    for (const Product& p : products_of(c)) {
      add_products(concat(model.name, " ", p.name), m, p.k, p.n, dtype);
    }
    add_gated(model.name, m, c, dtype);
  }
  add_head(model, dtype);
  add_attention(model, dtype);
  for (const int64_t m : options_.few_rows) {
    for (const Product& p : products_of(c)) {
      add_few_rows(concat(model.name, " ", p.name), m, p.k, p.n, dtype);
    }
    add_few_rows(concat(model.name, " head"), m, c.hidden_size, c.vocab_size, dtype);
  }
}

void KernelCases::add_products(const std::string& name, int64_t m, int64_t k, int64_t n,
                               DType dtype) {
  const Inputs& in = inputs_.at(dtype);
  const View x = over(in.x, m, k, dtype), dy = over(in.dy, m, n, dtype),
             w = over(in.w, n, k, dtype);
  const auto timing = [&](const char* form) {
    return KernelTiming{.form = form, .dtype = std::string(name_of(dtype)), .m = m, .k = k, .n = n};
  };
  const std::string rest = concat(" ", name_of(dtype), " ", shape(m, k, n));
  const std::string forward = concat(name, " forward", rest),
                    gradient = concat(name, " input_gradient", rest);
  if (wanted(forward)) {
    add(forward, linear,
        Linear{.y = over(output_, m, n, dtype), .x = x, .w = w, .packed = packed({.w = w})},
        timing("forward"));
  }
  if (wanted(gradient)) {
    add(gradient, linear_input_gradient,
        LinearInputGradient{.dx = over(output_, m, k, dtype),
                            .dy = dy,
                            .w = w,
                            .packed = packed({.w = w, .input_gradient = true})},
        timing("input_gradient"));
  }
  add(concat(name, " weight_gradient", rest), linear_weight_gradient,
      LinearWeightGradient{.dw = over(weight_gradient_, n, k, DType::kF32), .dy = dy, .x = x},
      timing("weight_gradient"));
}

// Weights as training and generation have them: laid out once for many products.
const void* KernelCases::packed(PackLinear args) {
  int64_t bytes = 0;
  args.bytes = &bytes;
  pack_linear(args, stream_);
  if (bytes == 0) return nullptr;
  args.to = buffers_.emplace_back(stream_.device, bytes).data();
  pack_linear(args, stream_);
  return args.to;
}

void KernelCases::add_int8(const NamedShape& model) {
  const Inputs& in = inputs_.at(DType::kI8);
  for (const int64_t m : options_.rows) {
    for (const Product& p : products_of(model.config)) {
      const std::string name = concat(model.name, " ", p.name, " int8 ", shape(m, p.k, p.n));
      if (!wanted(name)) continue;
      const View w = over(in.w, p.n, p.k, DType::kI8);
      int64_t bytes = 0;
      pack_linear_int8({.w = w, .bytes = &bytes}, stream_);
      char* to = bytes > 0 ? buffers_.emplace_back(stream_.device, bytes).data() : nullptr;
      pack_linear_int8({.w = w, .to = to, .bytes = &bytes}, stream_);
      add(name, linear_int8,
          LinearInt8{.y = over(output_, m, p.n, DType::kBF16),
                     .x = over(in.x, m, p.k, DType::kI8),
                     .x_scale = numbers(m, 1, DType::kF32),
                     .w = w,
                     .w_scale = numbers(p.n, 1, DType::kF32),
                     .packed = to});
    }
  }
}

// The products that SwiGLU is fused into.
void KernelCases::add_gated(const std::string& name, int64_t m, const LlamaConfig& c, DType dtype) {
  const int64_t C = c.hidden_size, F = c.intermediate_size;
  const Inputs& in = inputs_.at(dtype);
  const std::string rest = concat(" ", name_of(dtype), " ", shape(m, C, F));
  if (!wanted(name + " linear_swiglu" + rest) && !wanted(name + " linear_swiglu_backward" + rest)) {
    return;
  }
  const View gate_up = over(in.w, 2 * F, C, dtype), down = over(in.w, C, F, dtype);
  add(concat(name, " linear_swiglu", rest), linear_swiglu,
      LinearSwiglu{.y = over(output_, m, F, dtype),
                   .gate_up = buffer(m, 2 * F, dtype),
                   .x = over(in.x, m, C, dtype),
                   .w = gate_up,
                   .packed = packed({.w = gate_up, .gated = true})});
  // It works in place: with a gradient of zero, what it leaves stays a number, however often.
  const View dout = buffer(m, C, dtype);
  zero_memory(dout.data, stream_.device, dout.count() * size_of(dtype), stream_);
  add(concat(name, " linear_swiglu_backward", rest), linear_swiglu_backward,
      LinearSwigluBackward{.gate_up = numbers(m, 2 * F, dtype),
                           .y = over(output_, m, F, dtype),
                           .dout = dout,
                           .w = down,
                           .packed = packed({.w = down, .input_gradient = true})});
}

// Every call takes the next weights of the memory, as a token that passes through the layers does.
void KernelCases::add_few_rows(const std::string& name, int64_t m, int64_t k, int64_t n,
                               DType dtype) {
  const Inputs& in = inputs_.at(dtype);
  const std::string full = concat(name, " decode ", name_of(dtype), " ", shape(m, k, n));
  if (!wanted(full)) return;
  Linear args{.y = over(output_, m, n, dtype), .x = over(in.x, m, k, dtype), .w = {}};
  const int64_t count = in.w.bytes() / (n * k * size_of(dtype));
  const View all = over(in.w, n * count, k, dtype);
  args.w = all.slice_rows(0, n);
  const KernelTiming timing{.name = full,
                            .form = "decode",
                            .dtype = std::string(name_of(dtype)),
                            .m = m,
                            .k = k,
                            .n = n,
                            .cost = args.cost()};
  // Weights as generation has them: laid out once.
  int64_t bytes = 0;
  pack_linear({.w = args.w, .bytes = &bytes}, stream_);
  char* packed = nullptr;
  if (bytes > 0) {
    packed = buffers_.emplace_back(stream_.device, count * bytes).data();
    for (int64_t i = 0; i < count; ++i) {
      pack_linear({.w = all.slice_rows(i * n, n), .to = packed + i * bytes, .bytes = &bytes},
                  stream_);
    }
  }
  list_.push_back({timing, [=, this, next = int64_t{0}]() mutable {
                     args.w = all.slice_rows(next * n, n);
                     args.packed = packed == nullptr ? nullptr : packed + next * bytes;
                     next = (next + 1) % count;
                     linear(args, stream_);
                   }});
}

void KernelCases::add_head(const NamedShape& model, DType dtype) {
  const LlamaConfig& c = model.config;
  const int64_t n = options_.head_rows, vocab = c.vocab_size;
  const std::string name = concat(model.name, " head loss+gradients ", name_of(dtype), " ",
                                  shape(n, c.hidden_size, vocab));
  if (!wanted(name)) return;
  auto& targets = ids_.emplace_back();
  for (int64_t i = 0; i < n; ++i) targets.push_back(static_cast<int32_t>(i * 7919 % vocab));
  const Inputs& in = inputs_.at(dtype);
  const int64_t rows = linear_cross_entropy_rows(n, vocab);
  const View logits = buffer(rows, vocab, DType::kF32);
  const View w = over(in.w, vocab, c.hidden_size, dtype);
  const LinearCrossEntropy args{
      .loss = buffer(n, 1, DType::kF32),
      .x = over(in.x, n, c.hidden_size, dtype),
      .w = w,
      .targets = targets.data(),
      .dx = over(output_, n, c.hidden_size, dtype),
      .dw = over(weight_gradient_, vocab, c.hidden_size, DType::kF32),
      .scale = 1.0f / static_cast<float>(n),
      .logits = logits,
      .dlogits = dtype == DType::kF32 ? logits : buffer(rows, vocab, dtype),
      .packed = packed({.w = w}),
      .packed_gradient = packed({.w = w, .input_gradient = true})};
  list_.push_back(
      {{.name = name, .cost = args.cost()}, [args, this] { linear_cross_entropy(args, stream_); }});
}

void KernelCases::add_attention(const NamedShape& model, DType dtype) {
  const LlamaConfig& c = model.config;
  const int64_t T = options_.seq_len, q = c.num_attention_heads * c.head_dim,
                kv = c.num_key_value_heads * c.head_dim;
  const std::string rest = concat(" ", name_of(dtype), " T", T, " ", c.num_attention_heads, "/",
                                  c.num_key_value_heads, "x", c.head_dim);
  const std::string forward = concat(model.name, " attention forward", rest),
                    backward = concat(model.name, " attention backward", rest);
  if (!wanted(forward) && !wanted(backward)) return;
  const View qkv = over(inputs_.at(dtype).x, T, q + 2 * kv, dtype);
  const View out = buffer(T, q, dtype), lse = buffer(T, c.num_attention_heads, DType::kF32);
  const float scale = 1 / std::sqrt(static_cast<float>(c.head_dim));
  const Attention args{.out = out,
                       .lse = lse,
                       .q = qkv.slice_cols(0, q),
                       .k = qkv.slice_cols(q, kv),
                       .v = qkv.slice_cols(q + kv, kv),
                       .sequences = sequence_.data(),
                       .sequence_count = 1,
                       .heads = c.num_attention_heads,
                       .kv_heads = c.num_key_value_heads,
                       .head_dim = c.head_dim,
                       .scale = scale};
  add(forward, attention, args);
  attention(args, stream_);  // backward reads its results
  const View dqkv = over(output_, T, q + 2 * kv, dtype);
  add(backward, attention_backward,
      AttentionBackward{.dq = dqkv.slice_cols(0, q),
                        .dk = dqkv.slice_cols(q, kv),
                        .dv = dqkv.slice_cols(q + kv, kv),
                        .dout = over(inputs_.at(dtype).dy, T, q, dtype),
                        .out = out,
                        .lse = lse,
                        .q = args.q,
                        .k = args.k,
                        .v = args.v,
                        .delta = buffer(T, c.num_attention_heads, DType::kF32),
                        .sequences = args.sequences,
                        .sequence_count = 1,
                        .heads = args.heads,
                        .kv_heads = args.kv_heads,
                        .head_dim = args.head_dim,
                        .scale = scale});
}

void KernelCases::add_norms(const LlamaConfig& c, const std::string& name) {
  const int64_t C = c.hidden_size, rows = std::max<int64_t>(1, options_.memory_bytes / (6 * C));
  const std::string rest = concat(" bf16 ", rows, "x", C);
  if (!wanted(concat(name, " rms_norm", rest)) &&
      !wanted(concat(name, " rms_norm_backward", rest))) {
    return;
  }
  const View x = numbers(rows, C, DType::kBF16), y = buffer(rows, C, DType::kBF16);
  const View w = numbers(1, C, DType::kBF16), rstd = buffer(rows, 1, DType::kF32);
  const RmsNorm args{.y = y, .rstd = rstd, .x = x, .w = w};
  add(concat(name, " rms_norm", rest), rms_norm, args);
  rms_norm(args, stream_);  // rstd
  add(concat(name, " rms_norm_backward", rest), rms_norm_backward,
      RmsNormBackward{.dx = numbers(rows, C, DType::kBF16),
                      .dw = buffer(1, C, DType::kF32),
                      .dy = x,
                      .s = x,
                      .w = w,
                      .rstd = rstd});
}

void KernelCases::add_rope(const LlamaConfig& c, const std::string& name) {
  const int64_t cols = (c.num_attention_heads + c.num_key_value_heads) * c.head_dim;
  const int64_t rows = std::max<int64_t>(1, options_.memory_bytes / (2 * cols));
  const std::string full = concat(name, " rope bf16 ", rows, "x", cols);
  if (!wanted(full)) return;
  const int64_t D = c.head_dim;
  const View table = buffer(options_.seq_len, D, DType::kF32);
  for (int64_t i = 0; i < table.rows; ++i) {  // a turn: what is turned often keeps its length
    std::fill_n(table.row<float>(i), D / 2, 0.6f);
    std::fill_n(table.row<float>(i) + D / 2, D / 2, 0.8f);
  }
  auto& positions = ids_.emplace_back();
  for (int64_t i = 0; i < rows; ++i) positions.push_back(static_cast<int32_t>(i % table.rows));
  add(full, rope,
      Rope{.x = numbers(rows, cols, DType::kBF16),
           .positions = positions.data(),
           .table = table,
           .head_dim = D});
}

void KernelCases::add_optimizer(DType dtype) {
  const int64_t n = std::max<int64_t>(16, options_.memory_bytes / 18 / 16 * 16);
  const std::string rest = concat(" ", name_of(dtype), " ", n);
  const bool adamw_wanted = wanted("adamw" + rest);
  if (!adamw_wanted && !wanted("squared_norm" + rest)) return;
  const View g = numbers(1, n, DType::kF32);
  if (dtype == DType::kF32) {
    add("squared_norm" + rest, squared_norm, SquaredNorm{.out = buffer(1, 1, DType::kF64), .x = g});
  }
  if (!adamw_wanted) return;
  const View master = numbers(1, n, DType::kF32);
  add("adamw" + rest, adamw,
      AdamW{.w = dtype == DType::kF32 ? master : buffer(1, n, dtype),
            .master = master,
            .m = buffer(1, n, DType::kF32),
            .v = buffer(1, n, DType::kF32),
            .g = g,
            .lr = 1e-4f});
}

}  // namespace llmtool
