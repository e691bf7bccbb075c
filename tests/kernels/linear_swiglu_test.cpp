#include "kernels/mlp/linear_swiglu.h"

#include "tests/kernels/op_case.h"
#include "tests/kernels/packed.h"
#include "tests/kernels/reference.h"

namespace llmtool::test {
namespace {

// Normal values and, among them, ones where exp over- and underflows.
Matrix gates(int64_t n, int64_t f) {
  Matrix m = normal(n, f, 1, 3);
  const double corners[] = {0, 1e4, -1e4, 88, -88, -87, 1e-40, -103.5, 20, -20};
  for (size_t i = 0; i < m.values.size(); i += 3) m.values[i] = corners[i / 3 % 10];
  return m;
}

Matrix side_by_side(const Matrix& a, const Matrix& b) {
  Matrix m(a.rows, a.cols + b.cols);
  for (int64_t r = 0; r < a.rows; ++r) {
    for (int64_t c = 0; c < a.cols; ++c) m(r, c) = a(r, c);
    for (int64_t c = 0; c < b.cols; ++c) m(r, a.cols + c) = b(r, c);
  }
  return m;
}

Matrix half(const Matrix& m, int64_t which) {
  Matrix h(m.rows, m.cols / 2);
  for (int64_t r = 0; r < h.rows; ++r) {
    for (int64_t c = 0; c < h.cols; ++c) h(r, c) = m(r, which * h.cols + c);
  }
  return h;
}

// Of a value that is rounded to t on the way, in units of kUnit32.
double rounding(DType t, double value) {
  return (t == DType::kBF16 ? kUnit16 / kUnit32 : 1) * std::abs(value);
}

struct Size {
  int64_t m, k, f;
};

std::string about(const Size& z, DType t) {
  return concat("M=", z.m, " K=", z.k, " F=", z.f, " ", llmtool::name_of(t));
}

// The weights as they lie (none) where the rows are odd, as the level lays them out where even.
Buffer packed_of_even(const Size& z, const PackLinear& args, Stream& s) {
  return z.m % 2 == 0 ? packed(args, s) : Buffer{};
}

OpCase forward_case(const Size& z, DType t, const Matrix& x, const Matrix& w) {
  OpCase k{.op = "linear_swiglu", .about = about(z, t)};
  k.output("y", t, z.m, z.f);
  k.output("gate_up", t, z.m, 2 * z.f);
  k.input("x", t, x);
  k.shared_input("w", t, w);
  k.call = [z](const Views& v, Stream& s) {
    const Buffer memory = packed_of_even(z, {.w = v["w"], .gated = true}, s);
    linear_swiglu(
        {.y = v["y"], .gate_up = v["gate_up"], .x = v["x"], .w = v["w"], .packed = memory.data()},
        s);
  };
  k.reference = [t](Values& v) {
    Matrix &y = v["y"], &gate_up = v["gate_up"];
    reference::linear(gate_up, v["x"], v["w"]);
    reference::swiglu(y, half(gate_up, 0), half(gate_up, 1));
    for (int64_t r = 0; r < y.rows; ++r) {
      for (int64_t c = 0; c < y.cols; ++c) {
        const double a = gate_up(r, c), u = gate_up(r, y.cols + c), g = reference::sigmoid(a);
        const auto off = [&](int64_t column) {
          return gate_up.error[static_cast<size_t>(r * gate_up.cols + column)] +
                 rounding(t, gate_up(r, column));
        };
        y.error[static_cast<size_t>(r * y.cols + c)] +=
            std::abs(g * (1 + a * (1 - g)) * u) * off(c) + std::abs(a * g) * off(y.cols + c);
      }
    }
  };
  return k;
}

OpCase backward_case(const Size& z, DType t) {
  OpCase k{.op = "linear_swiglu_backward", .about = about(z, t)};
  k.output("y", t, z.m, z.f);
  k.in_out("gate_up", t, side_by_side(gates(z.m, z.f), normal(z.m, z.f, 2)));
  k.input("dout", t, normal(z.m, z.k, 3));
  k.shared_input("w", t, normal(z.k, z.f, 4));
  k.call = [z](const Views& v, Stream& s) {
    const Buffer memory = packed_of_even(z, {.w = v["w"], .input_gradient = true}, s);
    linear_swiglu_backward({.gate_up = v["gate_up"],
                            .y = v["y"],
                            .dout = v["dout"],
                            .w = v["w"],
                            .packed = memory.data()},
                           s);
  };
  k.reference = [t](Values& v) {
    Matrix &y = v["y"], &gate_up = v["gate_up"];
    const Matrix gate = half(gate_up, 0), up = half(gate_up, 1);
    Matrix dy(y.rows, y.cols), dgate = dy, dup = dy;
    reference::linear_input_gradient(dy, v["dout"], v["w"], false);
    reference::swiglu(y, gate, up);
    reference::swiglu_backward(dgate, dup, dy, gate, up);
    for (int64_t r = 0; r < y.rows; ++r) {
      for (int64_t c = 0; c < y.cols; ++c) {
        const auto at = static_cast<size_t>(r * y.cols + c);
        const double a = gate(r, c), g = reference::sigmoid(a);
        const double off = dy.error[at] + rounding(t, dy(r, c));
        gate_up.set(r, c, dgate(r, c),
                    dgate.error[at] + std::abs(up(r, c) * g) * (1 + std::abs(a) * (1 - g)) * off);
        gate_up.set(r, y.cols + c, dup(r, c), dup.error[at] + std::abs(a * g) * off);
      }
    }
  };
  return k;
}

constexpr Size kSizes[] = {{1, 1, 1},   {3, 7, 5},    {1, 64, 33},  {17, 65, 16},
                           {64, 40, 7}, {33, 96, 65}, {130, 20, 48}};

TEST_CASE("linear_swiglu and its backward") {
  for (const DType t : {DType::kF32, DType::kBF16}) {
    for (const Size& z : kSizes) {
      check_case(forward_case(z, t, normal(z.m, z.k, 1), normal(2 * z.f, z.k, 2)));
      check_case(backward_case(z, t));
    }
  }
}

TEST_CASE("linear_swiglu: gates where exp over- and underflows") {
  // With one input of 1 the weights are the gates.
  constexpr int64_t kFeatures = 40;
  const Matrix gate = gates(kFeatures, 1), up = normal(kFeatures, 1, 2);
  Matrix w(2 * kFeatures, 1);
  for (int64_t i = 0; i < kFeatures; ++i) {
    w(i, 0) = gate(i, 0);
    w(kFeatures + i, 0) = up(i, 0);
  }
  for (const DType t : {DType::kF32, DType::kBF16}) {
    check_case(forward_case({3, 1, kFeatures}, t, Matrix(3, 1, 1.0), w));
  }
}

TEST_CASE("swiglu: the reference of the backward is the gradient") {
  Matrix gate = normal(3, 5, 1, 2), up = normal(3, 5, 2), y(3, 5), dgate(3, 5), dup(3, 5);
  const Matrix dy = normal(3, 5, 3);
  reference::swiglu_backward(dgate, dup, dy, gate, up);
  const auto forward = [&] {
    reference::swiglu(y, gate, up);
    return inner(y, dy);
  };
  check_gradient("gate", gate, dgate, forward);
  check_gradient("up", up, dup, forward);
}

}  // namespace
}  // namespace llmtool::test
