// cost() of the operations against counts by hand, and what a stream's profile records.
#include <cmath>
#include <doctest/doctest.h>

#include "kernels/attention/attention.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/loss/linear_cross_entropy.h"
#include "kernels/matmul/linear.h"
#include "kernels/mlp/linear_swiglu.h"
#include "kernels/norm/rms_norm.h"
#include "kernels/optim/adamw.h"
#include "kernels/rope/rope.h"
#include "lib/tensor/memory.h"

using namespace llmtool;

namespace {

// A view whose memory nobody touches.
View shaped(int64_t rows, int64_t cols, DType dtype) {
  static char somewhere;
  return View{&somewhere, rows, cols, cols, dtype};
}

constexpr DType kBf16 = DType::kBF16, kF32 = DType::kF32;

}  // namespace

TEST_CASE("cost of the products: two flops a multiply-add, each operand once") {
  Linear forward{.y = shaped(5, 7, kBf16), .x = shaped(5, 3, kBf16), .w = shaped(7, 3, kBf16)};
  CHECK(forward.cost().flops == 2 * 5 * 3 * 7);
  CHECK(forward.cost().read == 2 * (5 * 3 + 7 * 3));
  CHECK(forward.cost().written == 2 * 5 * 7);
  CHECK(forward.cost().unit == kBf16);
  forward.residual = shaped(5, 7, kBf16);
  CHECK(forward.cost().flops == 2 * 5 * 3 * 7 + 5 * 7);
  CHECK(forward.cost().read == 2 * (5 * 3 + 7 * 3 + 5 * 7));
  forward.bias = shaped(1, 7, kBf16);
  CHECK(forward.cost().flops == 2 * 5 * 3 * 7 + 2 * 5 * 7);

  const LinearInputGradient input{
      .dx = shaped(5, 3, kF32), .dy = shaped(5, 7, kF32), .w = shaped(7, 3, kF32)};
  CHECK(input.cost().flops == 2 * 5 * 3 * 7);
  CHECK(input.cost().bytes() == 4 * (5 * 3 + 5 * 7 + 7 * 3));
  CHECK(input.cost().unit == kF32);

  LinearWeightGradient weight{
      .dw = shaped(7, 3, kF32), .dy = shaped(5, 7, kBf16), .x = shaped(5, 3, kBf16)};
  CHECK(weight.cost().flops == 2 * 5 * 3 * 7 + 7 * 3);
  CHECK(weight.cost().read == 2 * (5 * 7 + 5 * 3) + 4 * 7 * 3);

  const LinearSwiglu gated{.y = shaped(5, 2, kBf16),
                           .gate_up = shaped(5, 4, kBf16),
                           .x = shaped(5, 3, kBf16),
                           .w = shaped(4, 3, kBf16)};
  CHECK(gated.cost().flops == 2 * 5 * 3 * 4 + 5 * 5 * 2);
  CHECK(gated.cost().bytes() == 2 * (5 * 3 + 4 * 3 + 5 * 4 + 5 * 2));
  const LinearSwigluBackward gated_back{.gate_up = shaped(5, 4, kBf16),
                                        .y = shaped(5, 2, kBf16),
                                        .dout = shaped(5, 3, kBf16),
                                        .w = shaped(3, 2, kBf16)};
  CHECK(gated_back.cost().flops == 2 * 5 * 3 * 2 + 12 * 5 * 2);
  CHECK(gated_back.cost().written == 2 * (5 * 4 + 5 * 2));
  weight.accumulate = false;
  CHECK(weight.cost().read == 2 * (5 * 7 + 5 * 3));
  CHECK(weight.cost().written == 4 * 7 * 3);
}

TEST_CASE("cost of attention: the pairs that see each other") {
  // Four positions from the start (1 + 2 + 3 + 4 pairs), two after three others (4 + 5 pairs).
  const AttentionSequence sequences[] = {{0, 4, 0, 4}, {4, 2, 4, 5}};
  CHECK(attention_pairs(sequences, 2) == 19);
  const Attention forward{.out = shaped(6, 16, kBf16),
                          .q = shaped(6, 16, kBf16),
                          .k = shaped(9, 8, kBf16),
                          .v = shaped(9, 8, kBf16),
                          .sequences = sequences,
                          .sequence_count = 2,
                          .heads = 2,
                          .kv_heads = 1,
                          .head_dim = 8};
  CHECK(forward.cost().flops == 19 * 2 * (2 * 2 * 8 + 5));
  CHECK(forward.cost().read == 2 * (6 * 16 + 2 * 9 * 8));
  CHECK(forward.cost().written == 2 * 6 * 16);
  const AttentionBackward backward{.dq = forward.q,
                                   .dk = forward.k,
                                   .dv = forward.v,
                                   .dout = forward.q,
                                   .out = forward.q,
                                   .lse = shaped(6, 2, kF32),
                                   .q = forward.q,
                                   .k = forward.k,
                                   .v = forward.v,
                                   .delta = shaped(6, 2, kF32),
                                   .sequences = sequences,
                                   .sequence_count = 2,
                                   .heads = 2,
                                   .kv_heads = 1,
                                   .head_dim = 8};
  CHECK(backward.cost().flops == 19 * 2 * (5 * 2 * 8 + 5) + 2 * 6 * 16);
  CHECK(backward.cost().written == 2 * (6 * 16 + 2 * 9 * 8));
}

TEST_CASE("cost of the operations that are bound by memory") {
  const View x = shaped(4, 6, kBf16);
  CHECK(RmsNorm{.y = x, .x = x, .w = shaped(1, 6, kBf16)}.cost().bytes() == 2 * (24 + 24 + 6));
  CHECK(RmsNorm{.y = x, .sum = x, .x = x, .residual = x, .w = shaped(1, 6, kBf16)}.cost().bytes() ==
        2 * (4 * 24 + 6));
  // Four positions of a table of ten.
  const Rope turn{.x = x, .positions = nullptr, .table = shaped(10, 2, kF32), .head_dim = 2};
  CHECK(turn.cost().bytes() == 2 * 2 * 24 + 4 * (4 * 2 + 4));
  // bf16: master, m, v, g read and written, w written; f32: w is the master.
  float master = 0, g = 0, m = 0, v = 0;
  AdamW step{.w = shaped(1, 1, kBf16),
             .master = make_view(&master, 1, 1),
             .m = make_view(&m, 1, 1),
             .v = make_view(&v, 1, 1),
             .g = make_view(&g, 1, 1)};
  CHECK(step.cost().read == 16);
  CHECK(step.cost().written == 18);
  step.w = step.master;
  CHECK(step.cost().written == 16);
}

TEST_CASE(
    "a stream with a profile records what runs, and operations inside operations below them") {
  ThreadPool pool(1);
  Stream stream = open_stream(Device::kCpu, pool);
  std::vector<float> x(4 * 8, 0.5f), w(6 * 8, 0.25f), logits(4 * 6), dx(4 * 8), dw(6 * 8), loss(4);
  const std::vector<int32_t> targets{0, 1, 2, 3};
  const LinearCrossEntropy head{.loss = make_view(loss.data(), 4, 1),
                                .x = make_view(x.data(), 4, 8),
                                .w = make_view(w.data(), 6, 8),
                                .targets = targets.data(),
                                .dx = make_view(dx.data(), 4, 8),
                                .dw = make_view(dw.data(), 6, 8),
                                .logits = make_view(logits.data(), 4, 6),
                                .dlogits = make_view(logits.data(), 4, 6)};
  linear_cross_entropy(head, stream);  // without a profile: nothing to record, nothing needed
  Profile profile;
  stream.profile = &profile;
  linear_cross_entropy(head, stream);
  add({.y = head.x, .a = head.x, .b = head.x}, stream);
  close_stream(stream);

  const auto& entries = profile.entries();
  REQUIRE(entries.size() >= 3);
  CHECK(entries.front().name == "linear_cross_entropy");
  CHECK(entries.front().cost.flops == 3 * 2 * 4 * 8 * 6 + 6 * 4 * 6);
  CHECK(entries.back().name == "add");
  CHECK(entries.back().parent == -1);
  CHECK(entries.back().cost.flops == 32);
  CHECK(entries[1].name == "linear");  // the logits
  for (size_t i = 1; i + 1 < entries.size(); ++i) CHECK(entries[i].parent == 0);
}
