#include "kernels/norm/rms_norm.h"

#include "tests/kernels/op_case.h"
#include "tests/kernels/reference.h"

namespace llmtool::test {
namespace {

constexpr float kEps = 1e-5f;

// Rows of very different size: in the small ones eps decides.
Matrix rows_of_sizes(int64_t n, int64_t c, uint64_t seed) {
  Matrix m = normal(n, c, seed);
  const double sizes[] = {1, 3e-3, 1e4, 0, 30};
  for (int64_t r = 0; r < n; ++r) {
    for (int64_t i = 0; i < c; ++i) m(r, i) *= sizes[r % 5];
  }
  return m;
}

OpCase forward_case(int64_t n, int64_t c, DType t, bool residual) {
  OpCase k{
      .op = "rms_norm",
      .about = concat("N=", n, " C=", c, " ", llmtool::name_of(t), residual ? " + residual" : "")};
  k.output("y", t, n, c);
  k.output("rstd", DType::kF32, n, 1);
  k.input("x", t, rows_of_sizes(n, c, 1));
  k.shared_input("w", t, normal(1, c, 2));
  if (residual) {
    k.input("residual", t, rows_of_sizes(n, c, 3));
    k.output("sum", t, n, c);
    k.aliases = {{{"sum", "x"}}, {{"sum", "residual"}}};
  }
  k.call = [](const Views& v, Stream& s) {
    rms_norm({.y = v["y"],
              .sum = v["sum"],
              .rstd = v["rstd"],
              .x = v["x"],
              .residual = v["residual"],
              .w = v["w"],
              .eps = kEps},
             s);
  };
  k.reference = [residual, t](Values& v) {
    reference::rms_norm(v["y"], residual ? &v["sum"] : nullptr, &v["rstd"], v["x"],
                        residual ? &v["residual"] : nullptr, v["w"], kEps, t);
  };
  return k;
}

OpCase backward_case(int64_t n, int64_t c, DType t, bool dsum) {
  OpCase k{.op = "rms_norm_backward",
           .about = concat("N=", n, " C=", c, " ", llmtool::name_of(t), dsum ? " + dsum" : "")};
  const Matrix s = rounded(rows_of_sizes(n, c, 1), t), w = normal(1, c, 2);
  Matrix y(n, c), rstd(n, 1);
  reference::rms_norm(y, nullptr, &rstd, s, nullptr, w, kEps, t);
  k.output("dx", t, n, c);
  k.in_out("dw", DType::kF32, normal(1, c, 4), false);
  k.input("dy", t, normal(n, c, 5));
  if (dsum) k.input("dsum", t, normal(n, c, 6));
  k.input("s", t, s);
  k.shared_input("w", t, w);
  k.input("rstd", DType::kF32, rstd);
  k.sums_in_row_order = true;
  k.aliases = {{{"dx", "dy"}}};
  if (dsum) k.aliases.push_back({{"dx", "dsum"}});
  k.call = [](const Views& v, Stream& st) {
    rms_norm_backward({.dx = v["dx"],
                       .dw = v["dw"],
                       .dy = v["dy"],
                       .dsum = v["dsum"],
                       .s = v["s"],
                       .w = v["w"],
                       .rstd = v["rstd"]},
                      st);
  };
  k.reference = [dsum](Values& v) {
    reference::rms_norm_backward(v["dx"], v["dw"], v["dy"], dsum ? &v["dsum"] : nullptr, v["s"],
                                 v["w"], v["rstd"]);
  };
  return k;
}

TEST_CASE("rms_norm and its backward") {
  for (const DType t : {DType::kF32, DType::kBF16}) {
    for (const int64_t n : {1, 3, 64, 131}) {
      for (const int64_t c : {1, 7, 64, 65, 576}) {
        for (const bool more : {false, true}) {
          check_case(forward_case(n, c, t, more));
          check_case(backward_case(n, c, t, more));
        }
      }
    }
  }
}

TEST_CASE("rms_norm: many rows, more than one block of them") {
  check_case(backward_case(700, 257, DType::kF32, true));
  check_case(forward_case(512, 2048, DType::kBF16, true));
}

TEST_CASE("rms_norm: the backward is the gradient") {
  Matrix x = normal(3, 5, 1), w = normal(1, 5, 2), residual = normal(3, 5, 3);
  const Matrix dy = normal(3, 5, 4), dsum = normal(3, 5, 5);
  Matrix y(3, 5), s(3, 5), rstd(3, 1), dx(3, 5), dw(1, 5);
  const auto forward = [&] {
    reference::rms_norm(y, &s, &rstd, x, &residual, w, kEps, DType::kF64);
    return inner(y, dy) + inner(s, dsum);
  };
  forward();
  reference::rms_norm_backward(dx, dw, dy, &dsum, s, w, rstd);
  check_gradient("x", x, dx, forward);
  check_gradient("residual", residual, dx, forward);
  check_gradient("w", w, dw, forward);
}

}  // namespace
}  // namespace llmtool::test
