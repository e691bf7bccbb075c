#include "kernels/loss/cross_entropy.h"

#include "tests/kernels/op_case.h"
#include "tests/kernels/reference.h"

namespace llmtool::test {
namespace {

// Rows of every sort: usual ones, logits of 1e4, all equal, a sure winner, some at -infinity.
Matrix hard_logits(int64_t n, int64_t vocab) {
  Matrix m = normal(n, vocab, 1, 2);
  for (int64_t r = 0; r < n; ++r) {
    for (int64_t v = 0; v < vocab; ++v) {
      if (r % 5 == 1) m(r, v) *= 1e4;
      if (r % 5 == 2) m(r, v) = -3e4;
      if (r % 5 == 3 && v == vocab / 2) m(r, v) = 200;
      if (r % 5 == 4 && v % 3 == 1) m(r, v) = -INFINITY;
    }
  }
  return m;
}

// Every fourth target is ignored; none has a probability of 0.
std::vector<int32_t> targets_for(const Matrix& logits) {
  std::vector<int32_t> targets = random_ids(logits.rows, (logits.cols + 2) / 3, 2);
  for (size_t n = 0; n < targets.size(); ++n) {
    targets[n] = n % 4 == 3 ? kIgnoredTarget : targets[n] * 3;
  }
  return targets;
}

enum class Gradient { kNone, kF32, kBF16 };

OpCase loss_case(const Matrix& logits, Gradient gradient, float scale) {
  OpCase k{.op = "cross_entropy",
           .about = concat("N=", logits.rows, " V=", logits.cols, " gradient ",
                           static_cast<int>(gradient))};
  k.output("loss", DType::kF32, logits.rows, 1);
  k.input("logits", DType::kF32, logits);
  if (gradient != Gradient::kNone) {
    k.output("dlogits", gradient == Gradient::kF32 ? DType::kF32 : DType::kBF16, logits.rows,
             logits.cols);
  }
  if (gradient == Gradient::kF32) k.aliases = {{{"dlogits", "logits"}}};
  k.ids["targets"] = targets_for(logits);
  k.call = [scale](const Views& v, Stream& s) {
    cross_entropy({.loss = v["loss"],
                   .logits = v["logits"],
                   .dlogits = v["dlogits"],
                   .targets = v.ids("targets"),
                   .scale = scale},
                  s);
  };
  k.reference = [gradient, scale, targets = k.ids["targets"]](Values& v) {
    reference::cross_entropy(v["loss"], gradient == Gradient::kNone ? nullptr : &v["dlogits"],
                             v["logits"], targets, scale);
  };
  return k;
}

TEST_CASE("cross_entropy and its gradient") {
  for (const Gradient g : {Gradient::kNone, Gradient::kF32, Gradient::kBF16}) {
    for (const int64_t n : {1, 3, 12, 65}) {
      for (const int64_t vocab : {1, 2, 7, 65, 1001}) {
        check_case(loss_case(hard_logits(n, vocab), g, 1.0f / 3));
      }
    }
    check_case(loss_case(hard_logits(3, 200'003), g, 1));
  }
}

TEST_CASE("cross_entropy: a NaN among the logits comes out as NaN, of its own row only") {
  Matrix logits = normal(3, 37, 1);
  for (const int64_t at : {0, 13, 36}) {
    Matrix bad = logits;
    bad(1, at) = NAN;
    const OpCase k = loss_case(bad, Gradient::kF32, 1);
    for (const Lane& lane : available_lanes()) {
      INFO("NaN at ", at, " on ", name_of(lane));
      const Result r = run_case(k, lane, {});
      CHECK(std::isfinite(r.value("loss", 0)));
      CHECK(std::isnan(r.value("loss", 1)));
      CHECK(std::isfinite(r.value("loss", 2)));
    }
  }
}

TEST_CASE("cross_entropy: dlogits is the gradient") {
  Matrix logits = normal(4, 6, 1), loss(4, 1), dlogits(4, 6);
  const std::vector<int32_t> targets = {3, kIgnoredTarget, 0, 5};
  reference::cross_entropy(loss, &dlogits, logits, targets, 0.25);
  check_gradient("logits", logits, dlogits, [&] {
    reference::cross_entropy(loss, nullptr, logits, targets, 1);
    return 0.25 * (loss(0, 0) + loss(1, 0) + loss(2, 0) + loss(3, 0));
  });
}

}  // namespace
}  // namespace llmtool::test
