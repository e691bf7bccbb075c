#include "kernels/matmul/linear_int8.h"

#include "lib/tensor/arena.h"
#include "tests/kernels/op_case.h"
#include "tests/kernels/reference.h"

namespace llmtool::test {
namespace {

Matrix integers(int64_t rows, int64_t cols, uint64_t seed) {
  const Rng rng(seed);
  Matrix m(rows, cols);
  for (size_t i = 0; i < m.values.size(); ++i) {
    m.values[i] = static_cast<double>(rng.below(i, 255)) - 127;
  }
  return m;
}

OpCase quantize_case(int64_t m, int64_t k, DType t) {
  OpCase c{.op = "quantize_rows", .about = concat("M=", m, " K=", k, " ", llmtool::name_of(t))};
  Matrix x = normal(m, k, 1, 5);
  for (int64_t i = 0; m > 2 && i < k; ++i) {
    x(1, i) = 0;
    x(2, i) *= 1e-37;  // as good as zero
  }
  c.input("x", t, x);
  c.output("q", DType::kI8, m, k);
  c.output("scale", DType::kF32, m, 1);
  c.call = [](const Views& v, Stream& s) {
    quantize_rows({.q = v["q"], .scale = v["scale"], .x = v["x"]}, s);
  };
  c.reference = [](Values& v) {
    const Matrix& rows = v["x"];
    for (int64_t r = 0; r < rows.rows; ++r) {
      double top = 0;
      for (int64_t i = 0; i < rows.cols; ++i) top = std::max(top, std::abs(rows(r, i)));
      if (top < 1e-35) top = 0;
      v["scale"].set(r, 0, top / 127, top / 127);
      for (int64_t i = 0; i < rows.cols; ++i) {
        const double exact = top > 0 ? rows(r, i) / top * 127 : 0;
        // f32 may take a number within its rounding of a half to either side.
        const bool tie = std::abs(std::abs(exact - std::trunc(exact)) - 0.5) < 127 * 4 * kUnit32;
        v["q"].set(r, i, std::nearbyint(exact), tie ? 1 / kUnit32 : 0);
      }
    }
  };
  return c;
}

struct Size {
  int64_t m, n, k;
};

// The weights as the level lays them out; empty where it does not, or on a GPU.
Buffer pack(const View& w, Stream& s) {
  if (s.device != Device::kCpu) return {};
  int64_t bytes = 0;
  pack_linear_int8({.w = w, .bytes = &bytes}, s);
  if (bytes == 0) return {};
  Buffer memory(Device::kCpu, bytes);
  pack_linear_int8({.w = w, .to = memory.data(), .bytes = &bytes}, s);
  return memory;
}

OpCase linear_case(const Size& z, DType out, bool extras, bool packed = false) {
  OpCase c{.op = "linear_int8",
           .about = concat("M=", z.m, " N=", z.n, " K=", z.k, " to ", llmtool::name_of(out),
                           extras ? " with bias and residual" : "")};
  c.input("x", DType::kI8, integers(z.m, z.k, 1));
  c.input("x_scale", DType::kF32, normal(z.m, 1, 2, 0.01));
  c.shared_input("w", DType::kI8, integers(z.n, z.k, 3));
  c.shared_input("w_scale", DType::kF32, normal(1, z.n, 4, 0.01));
  if (extras) {
    c.shared_input("bias", DType::kF32, normal(1, z.n, 5));
    c.input("residual", out, normal(z.m, z.n, 6));
    c.aliases = {{{"y", "residual"}}};
  }
  c.output("y", out, z.m, z.n);
  c.call = [packed](const Views& v, Stream& s) {
    const View scale = v["w_scale"];
    const Buffer memory = packed ? pack(v["w"], s) : Buffer{};
    linear_int8({.y = v["y"],
                 .x = v["x"],
                 .x_scale = v["x_scale"],
                 .w = v["w"],
                 .w_scale = View{scale.data, scale.cols, 1, 1, scale.dtype},
                 .bias = v["bias"],
                 .residual = v["residual"],
                 .packed = memory.data()},
                s);
  };
  c.reference = [extras](Values& v) {
    Matrix& y = v["y"];
    const Matrix &x = v["x"], &w = v["w"];
    for (int64_t m = 0; m < y.rows; ++m) {
      for (int64_t n = 0; n < y.cols; ++n) {
        double sum = 0;
        for (int64_t k = 0; k < x.cols; ++k) sum += x(m, k) * w(n, k);
        const double product = v["x_scale"](m, 0) * v["w_scale"](0, n) * sum;
        const double bias = extras ? v["bias"](0, n) : 0;
        const double residual = extras ? v["residual"](m, n) : 0;
        y.set(m, n, product + bias + residual,
              8 * (std::abs(product) + std::abs(bias) + std::abs(residual)));
      }
    }
  };
  return c;
}

TEST_CASE("quantize_rows") {
  for (const DType t : {DType::kF32, DType::kBF16}) {
    for (const int64_t m : {1, 5, 40}) {
      for (const int64_t k : {1, 7, 64, 577}) check_case(quantize_case(m, k, t));
    }
  }
}

TEST_CASE("linear_int8") {
  for (const DType out : {DType::kF32, DType::kBF16}) {
    for (const bool extras : {false, true}) {
      for (const Size& z : {Size{1, 1, 1},
                            {3, 5, 7},
                            {2, 65, 64},
                            {17, 63, 65},
                            {33, 100, 257},
                            {130, 49, 96},
                            {70, 40, 2048},
                            {5, 33, 4500}}) {
        for (const bool packed : {false, true}) check_case(linear_case(z, out, extras, packed));
      }
    }
  }
}

// All at the ends of their range: no intermediate sum saturates.
TEST_CASE("linear_int8: the largest products") {
  for (const double left : {-127.0, 127.0}) {
    OpCase c = linear_case({3, 20, 300}, DType::kF32, false);
    for (Slot& s : c.slots) {
      if (s.name == "x") s.initial = Matrix(3, 300, left);
      if (s.name == "w") s.initial = Matrix(20, 300, -127);
    }
    check_case(c);
  }
}

}  // namespace
}  // namespace llmtool::test
