#include "kernels/loss/linear_cross_entropy.h"

#include "tests/kernels/op_case.h"
#include "tests/kernels/reference.h"

namespace llmtool::test {
namespace {

struct Size {
  int64_t n, c, vocab, scratch;  // scratch: rows of logits at a time
};

struct Wanted {
  bool dx, dw;
};

std::vector<int32_t> targets_for(int64_t n, int64_t vocab) {
  std::vector<int32_t> targets = random_ids(n, vocab, 9);
  for (size_t i = 2; i < targets.size(); i += 4) targets[i] = kIgnoredTarget;
  return targets;
}

// The composition of the references. bf16 kernels round dlogits before they multiply it.
void composed(Values& v, const std::vector<int32_t>& targets, const Wanted& want, double scale,
              DType t) {
  const Matrix &x = v["x"], &w = v["w"];
  Matrix logits(x.rows, w.rows), size = logits, dlogits = logits;
  reference::linear(logits, x, w);
  reference::cross_entropy(v["loss"], &dlogits, logits, targets, scale);
  for (int64_t n = 0; n < x.rows; ++n) {
    double off = 0;  // the largest error of a logit of this row
    for (int64_t i = 0; i < w.rows; ++i) {
      off = std::max(off, logits.error[static_cast<size_t>(n * w.rows + i)]);
    }
    v["loss"].error[static_cast<size_t>(n)] += 2 * off;
    for (int64_t i = 0; i < w.rows; ++i) {
      const bool hit = i == targets[static_cast<size_t>(n)];
      const double p = std::abs(dlogits(n, i) + (hit ? scale : 0));
      dlogits.error[static_cast<size_t>(n * w.rows + i)] +=
          2 * off * p + std::abs(dlogits(n, i)) * (t == DType::kBF16 ? kUnit16 / kUnit32 : 2);
    }
  }
  const auto product = [&](Matrix& out, auto a, auto b, auto a_off, int64_t terms) {
    for (int64_t r = 0; r < out.rows; ++r) {
      for (int64_t c = 0; c < out.cols; ++c) {
        double sum = out(r, c), units = sum_units(terms) * std::abs(sum);
        for (int64_t k = 0; k < terms; ++k) {
          sum += a(r, k) * b(k, c);
          units += (sum_units(terms) * std::abs(a(r, k)) + a_off(r, k)) * std::abs(b(k, c));
        }
        out.set(r, c, sum, units);
      }
    }
  };
  const auto d = [&](int64_t n, int64_t i) { return dlogits(n, i); };
  const auto off = [&](int64_t n, int64_t i) {
    return dlogits.error[static_cast<size_t>(n * w.rows + i)];
  };
  if (want.dx) {
    v["dx"] = Matrix(x.rows, x.cols);
    product(
        v["dx"], d, [&](int64_t i, int64_t c) { return w(i, c); }, off, w.rows);
  }
  if (want.dw) {
    product(
        v["dw"], [&](int64_t i, int64_t n) { return d(n, i); },
        [&](int64_t n, int64_t c) { return x(n, c); },
        [&](int64_t i, int64_t n) { return off(n, i); }, x.rows);
  }
}

OpCase head_case(const Size& z, DType t, const Wanted& want, bool own_dlogits) {
  OpCase k{.op = "linear",
           .about = concat("N=", z.n, " C=", z.c, " V=", z.vocab, " in ", z.scratch, " rows, ",
                           llmtool::name_of(t), want.dx ? " dx" : "", want.dw ? " dw" : "")};
  const float scale = 0.125f;
  k.output("loss", DType::kF32, z.n, 1);
  k.input("x", t, normal(z.n, z.c, 1));
  k.shared_input("w", t, normal(z.vocab, z.c, 2));
  if (want.dx) k.output("dx", t, z.n, z.c);
  if (want.dw) k.in_out("dw", DType::kF32, normal(z.vocab, z.c, 3), false);
  k.scratch("logits", DType::kF32, z.scratch, z.vocab);
  if (own_dlogits) k.scratch("dlogits", t, z.scratch, z.vocab);
  k.ids["targets"] = targets_for(z.n, z.vocab);
  k.call = [scale, want, own_dlogits](const Views& v, Stream& s) {
    View dlogits = own_dlogits ? v["dlogits"] : v["logits"];
    if (!want.dx && !want.dw) dlogits = View{};
    linear_cross_entropy({.loss = v["loss"],
                          .x = v["x"],
                          .w = v["w"],
                          .targets = v.ids("targets"),
                          .dx = v["dx"],
                          .dw = v["dw"],
                          .scale = scale,
                          .logits = v["logits"],
                          .dlogits = dlogits},
                         s);
  };
  k.reference = [=, targets = k.ids["targets"]](Values& v) {
    composed(v, targets, want, scale, t);
  };
  return k;
}

TEST_CASE("linear_cross_entropy: loss and gradients, whatever the chunk") {
  for (const DType t : {DType::kF32, DType::kBF16}) {
    for (const int64_t scratch : {1, 5, 23, 64}) {
      for (const Wanted& want :
           {Wanted{true, true}, Wanted{false, false}, Wanted{true, false}, Wanted{false, true}}) {
        check_case(head_case({23, 17, 65, scratch}, t, want, t == DType::kBF16));
      }
    }
    check_case(head_case({1, 1, 1, 1}, t, {true, true}, true));
    check_case(head_case({3, 64, 1001, 2}, t, {true, true}, true));
  }
}

TEST_CASE("linear_cross_entropy: rows have the same bits whatever the scratch") {
  for (const DType t : {DType::kF32, DType::kBF16}) {
    const OpCase whole = head_case({23, 17, 65, 23}, t, {true, false}, true);
    for (const Lane& lane : available_lanes()) {
      const Result want = run_case(whole, lane, {});
      for (const int64_t scratch : {1, 2, 7}) {
        const OpCase parts = head_case({23, 17, 65, scratch}, t, {true, false}, true);
        compare_bits(whole, want, run_case(parts, lane, {}), concat("in ", scratch, " rows"));
      }
    }
  }
}

TEST_CASE("linear_cross_entropy: the scratch to plan for") {
  CHECK(linear_cross_entropy_rows(1000, 8192) == 1000);
  CHECK(linear_cross_entropy_rows(100'000, 8192) == 3072);
  CHECK(linear_cross_entropy_rows(100'000, 1 << 30) == 1);
  CHECK(linear_cross_entropy_rows(0, 8192) == 1);
}

}  // namespace
}  // namespace llmtool::test
