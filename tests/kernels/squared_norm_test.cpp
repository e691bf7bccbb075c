#include "kernels/optim/squared_norm.h"

#include "tests/kernels/op_case.h"
#include "tests/kernels/reference.h"

namespace llmtool::test {
namespace {

OpCase norm_case(const Matrix& x, double before) {
  OpCase k{.op = "squared_norm", .about = concat("n=", x.cols)};
  k.in_out("out", DType::kF64, Matrix(1, 1, before), false);
  k.shared_input("x", DType::kF32, x);
  k.call = [](const Views& v, Stream& s) { squared_norm({.out = v["out"], .x = v["x"]}, s); };
  k.reference = [](Values& v) {
    double sum = v["out"](0, 0);
    for (const double e : v["x"].values) sum += e * e;
    // f64 all through: n roundings of 2^-53, at most
    const double relative = static_cast<double>(v["x"].cols) * 0x1p-53;
    v["out"].set(0, 0, sum, std::isfinite(sum) ? relative * sum / kUnit32 : 0);
  };
  return k;
}

TEST_CASE("squared_norm") {
  for (const int64_t n : {1, 7, 64, 65, 4097, 300'001}) {
    check_case(norm_case(normal(1, n, 1), 0));
    check_case(norm_case(normal(1, n, 1), 2.5));
    check_case(norm_case(normal(1, n, 1, 1e25), 0));   // squares beyond f32
    check_case(norm_case(normal(1, n, 1, 1e-30), 0));  // and below it
  }
}

TEST_CASE("squared_norm: one NaN or infinity anywhere shows") {
  for (const double bad : {static_cast<double>(NAN), static_cast<double>(INFINITY)}) {
    for (const int64_t at : {0, 63, 64, 5000, 70'000, 70'002}) {
      Matrix x = normal(1, 70'003, 1);
      x(0, at) = bad;
      check_case(norm_case(x, 0));
    }
  }
}

}  // namespace
}  // namespace llmtool::test
