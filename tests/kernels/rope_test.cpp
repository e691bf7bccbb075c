#include "kernels/rope/rope.h"

#include "tests/kernels/op_case.h"
#include "tests/kernels/reference.h"

namespace llmtool::test {
namespace {

constexpr int64_t kPositions = 300;

Matrix table_of(int64_t d) {
  Matrix table(kPositions, d);
  for (int64_t p = 0; p < kPositions; ++p) {
    for (int64_t i = 0; i < d / 2; ++i) {
      const double angle =
          static_cast<double>(p) *
          std::pow(10000.0, -2.0 * static_cast<double>(i) / static_cast<double>(d));
      table(p, i) = std::cos(angle);
      table(p, i + d / 2) = std::sin(angle);
    }
  }
  return table;
}

OpCase rope_case(int64_t n, int64_t heads, int64_t d, DType t, bool inverse) {
  OpCase k{.op = "rope",
           .about = concat("N=", n, " H=", heads, " D=", d, " ", llmtool::name_of(t),
                           inverse ? " inverse" : "")};
  k.in_out("x", t, normal(n, heads * d, 1));
  k.shared_input("table", DType::kF32, table_of(d));
  k.ids["positions"] = random_ids(n, kPositions, 2);
  k.call = [d, inverse](const Views& v, Stream& s) {
    rope({.x = v["x"],
          .positions = v.ids("positions"),
          .table = v["table"],
          .head_dim = d,
          .inverse = inverse},
         s);
  };
  k.reference = [d, inverse, positions = k.ids["positions"]](Values& v) {
    reference::rope(v["x"], v["table"], positions, d, inverse);
  };
  return k;
}

TEST_CASE("rope, and back") {
  for (const DType t : {DType::kF32, DType::kBF16}) {
    for (const int64_t d : {2, 6, 64, 80, 128}) {
      for (const int64_t n : {1, 3, 65}) {
        for (const int64_t heads : {1, 3}) {
          for (const bool inverse : {false, true}) check_case(rope_case(n, heads, d, t, inverse));
        }
      }
    }
  }
}

TEST_CASE("rope: the inverse is the gradient") {
  const std::vector<int32_t> positions = {0, 7, 299};
  const Matrix table = table_of(6);
  Matrix x = normal(3, 12, 1);
  const Matrix dy = normal(3, 12, 2);
  Matrix dx = dy;
  reference::rope(dx, table, positions, 6, true);
  check_gradient("x", x, dx, [&] {
    Matrix y = x;
    reference::rope(y, table, positions, 6, false);
    return inner(y, dy);
  });
}

}  // namespace
}  // namespace llmtool::test
