#include "kernels/elementwise/elementwise.h"

#include "tests/kernels/op_case.h"
#include "tests/kernels/reference.h"

namespace llmtool::test {
namespace {

OpCase add_case(int64_t n, int64_t c, DType t) {
  OpCase k{.op = "add", .about = concat("N=", n, " C=", c, " ", llmtool::name_of(t))};
  k.output("y", t, n, c);
  k.input("a", t, normal(n, c, 1));
  k.input("b", t, normal(n, c, 2));
  k.aliases = {{{"y", "a"}}, {{"y", "b"}}};
  k.call = [](const Views& v, Stream& s) { add({.y = v["y"], .a = v["a"], .b = v["b"]}, s); };
  k.reference = [](Values& v) { reference::add(v["y"], v["a"], v["b"]); };
  return k;
}

OpCase convert_case(const Matrix& x, DType to, DType from) {
  OpCase k{.op = "convert", .about = concat(llmtool::name_of(from), " to ", llmtool::name_of(to))};
  k.output("y", to, x.rows, x.cols);
  k.input("x", from, x);
  k.call = [](const Views& v, Stream& s) { convert({.y = v["y"], .x = v["x"]}, s); };
  k.reference = [to](Values& v) {
    for (size_t i = 0; i < v["x"].values.size(); ++i) {
      v["y"].values[i] = round_to(to, v["x"].values[i]);
    }
  };
  return k;
}

// Values on which rounding to bf16 can go wrong, more than a vector of them.
Matrix corner_values() {
  const std::vector<double> values = {0.0,
                                      -0.0,
                                      1.0,
                                      1 + 0x1p-8,
                                      1 + 0x1p-8 + 0x1p-20,  // a tie, and just above
                                      -(1 + 3 * 0x1p-8),
                                      1 + 3 * 0x1p-8 - 0x1p-20,  // a tie to even, upwards
                                      3.4e38,
                                      3.3961e38,
                                      -3.4028234e38,  // rounds to infinity or just not
                                      1e-40,
                                      -1e-45,
                                      0x1p-126,
                                      0x1p-133,  // denormal
                                      INFINITY,
                                      -INFINITY,
                                      NAN,
                                      65504.0};
  Matrix m(1, 41);
  for (size_t i = 0; i < m.values.size(); ++i) m.values[i] = values[i % values.size()];
  return m;
}

TEST_CASE("add") {
  for (const DType t : {DType::kF32, DType::kBF16}) {
    for (const int64_t n : {1, 3, 64}) {
      for (const int64_t c : {1, 7, 64, 65, 576}) check_case(add_case(n, c, t));
    }
  }
}

TEST_CASE("convert") {
  for (const DType to : {DType::kF32, DType::kBF16}) {
    for (const DType from : {DType::kF32, DType::kBF16}) {
      for (const int64_t c : {1, 7, 64, 65, 576})
        check_case(convert_case(normal(33, c, 1), to, from));
      check_case(convert_case(corner_values(), to, from));
    }
  }
}

TEST_CASE("convert: to bf16 rounds to nearest even, bit for bit, NaN stays NaN") {
  OpCase k = convert_case(corner_values(), DType::kBF16, DType::kF32);
  for (const Lane& lane : available_lanes()) {
    const Result r = run_case(k, lane, {});
    for (size_t i = 0; i < 41; ++i) {
      uint16_t got = 0;
      std::memcpy(&got, &r.bytes("y")[2 * i], 2);
      CHECK(got == to_bf16(static_cast<float>(corner_values().values[i])).bits);
    }
  }
}

}  // namespace
}  // namespace llmtool::test
