#include "kernels/matmul/linear.h"

#include "tests/kernels/op_case.h"
#include "tests/kernels/packed.h"
#include "tests/kernels/reference.h"

namespace llmtool::test {
namespace {

struct Size {
  int64_t m, n, k;
};

// Among them inner dimensions that every level can read in place, and rows 2 KiB apart (K = 512 in
// f32, 1024 in bf16), which none should.
constexpr Size kSizes[] = {{1, 1, 1},      {3, 5, 7},     {1, 64, 64},    {2, 65, 33},
                           {17, 63, 65},   {64, 128, 64}, {33, 100, 257}, {130, 49, 96},
                           {35, 512, 512}, {70, 40, 1024}};

enum class Form { kPlain, kBias, kResidual, kBiasAndResidual, kAccumulate, kPacked };

// in: dtype of x and w; out: of y.
OpCase linear_case(const Size& z, DType in, DType out, Form form) {
  OpCase k{.op = "linear",
           .about = concat("M=", z.m, " N=", z.n, " K=", z.k, " ", llmtool::name_of(in), " to ",
                           llmtool::name_of(out), " form ", static_cast<int>(form))};
  const bool accumulate = form == Form::kAccumulate,
             residual = form == Form::kResidual || form == Form::kBiasAndResidual;
  const bool bias = form == Form::kBias || form == Form::kBiasAndResidual;
  k.input("x", in, normal(z.m, z.k, 1));
  k.shared_input("w", in, normal(z.n, z.k, 2));
  if (accumulate) {
    k.in_out("y", out, normal(z.m, z.n, 3));
  } else {
    k.output("y", out, z.m, z.n);
  }
  if (residual) {
    k.input("residual", out, normal(z.m, z.n, 3));
    k.aliases = {{{"y", "residual"}}};
  }
  if (bias) k.shared_input("bias", out, normal(1, z.n, 4));
  const bool packs = form == Form::kPacked;
  k.call = [accumulate, packs](const Views& v, Stream& s) {
    const Buffer memory = packs ? packed({.w = v["w"]}, s) : Buffer{};
    linear({.y = v["y"],
            .x = v["x"],
            .w = v["w"],
            .bias = v["bias"],
            .residual = v["residual"],
            .accumulate = accumulate,
            .packed = memory.data()},
           s);
  };
  k.reference = [residual, bias, accumulate](Values& v) {
    reference::linear(v["y"], v["x"], v["w"], residual ? &v["residual"] : nullptr,
                      bias ? &v["bias"] : nullptr, accumulate);
  };
  return k;
}

OpCase input_gradient_case(const Size& z, DType in, DType out, bool accumulate,
                           bool packs = false) {
  OpCase k{.op = "linear_input_gradient",
           .about = concat("M=", z.m, " N=", z.n, " K=", z.k, " ", llmtool::name_of(in), " to ",
                           llmtool::name_of(out), accumulate ? " +=" : "")};
  k.input("dy", in, normal(z.m, z.n, 1));
  k.shared_input("w", in, normal(z.n, z.k, 2));
  if (accumulate) {
    k.in_out("dx", out, normal(z.m, z.k, 3));
  } else {
    k.output("dx", out, z.m, z.k);
  }
  k.call = [accumulate, packs](const Views& v, Stream& s) {
    const Buffer memory = packs ? packed({.w = v["w"], .input_gradient = true}, s) : Buffer{};
    linear_input_gradient({.dx = v["dx"],
                           .dy = v["dy"],
                           .w = v["w"],
                           .accumulate = accumulate,
                           .packed = memory.data()},
                          s);
  };
  k.reference = [accumulate](Values& v) {
    reference::linear_input_gradient(v["dx"], v["dy"], v["w"], accumulate);
  };
  return k;
}

OpCase weight_gradient_case(const Size& z, DType in, bool accumulate) {
  OpCase k{.op = "linear_weight_gradient",
           .about = concat("M=", z.m, " N=", z.n, " K=", z.k, " ", llmtool::name_of(in),
                           accumulate ? " +=" : "")};
  k.input("dy", in, normal(z.m, z.n, 1));
  k.input("x", in, normal(z.m, z.k, 2));
  k.in_out("dw", DType::kF32, normal(z.n, z.k, 3), false);
  k.row_invariant = false;  // the rows are what is summed
  k.call = [accumulate](const Views& v, Stream& s) {
    linear_weight_gradient({.dw = v["dw"], .dy = v["dy"], .x = v["x"], .accumulate = accumulate},
                           s);
  };
  k.reference = [accumulate](Values& v) {
    reference::linear_weight_gradient(v["dw"], v["dy"], v["x"], accumulate);
  };
  return k;
}

struct Types {
  DType in, out;
};
constexpr Types kTypes[] = {
    {DType::kF32, DType::kF32}, {DType::kBF16, DType::kBF16}, {DType::kBF16, DType::kF32}};

TEST_CASE("linear: the three forms") {
  for (const Size& z : kSizes) {
    for (const auto& [in, out] : kTypes) {
      for (const Form f : {Form::kPlain, Form::kBias, Form::kResidual, Form::kBiasAndResidual,
                           Form::kAccumulate, Form::kPacked}) {
        check_case(linear_case(z, in, out, f));
      }
      for (const bool accumulate : {false, true}) {
        for (const bool packed : {false, true}) {
          check_case(input_gradient_case(z, in, out, accumulate, packed));
        }
      }
    }
    for (const DType in : {DType::kF32, DType::kBF16}) {
      for (const bool accumulate : {false, true}) {
        check_case(weight_gradient_case(z, in, accumulate));
      }
    }
  }
}

TEST_CASE("linear: 512 rows have the bits of each row alone") {
  const Size z{512, 72, 576};
  for (const auto& [in, out] : kTypes) {
    check_case(linear_case(z, in, out, Form::kPlain));
    check_case(input_gradient_case({512, 200, 65}, in, out, false));
  }
}

TEST_CASE("linear: packed weights give the bits of weights as they lie") {
  for (const DType t : {DType::kF32, DType::kBF16}) {
    for (const Size& z : {Size{1, 70, 130}, {40, 33, 4200}, {33, 4200, 36}, {70, 96, 64}}) {
      const OpCase lie = linear_case(z, t, t, Form::kPlain);
      const OpCase packed = linear_case(z, t, t, Form::kPacked);
      for (const Lane& lane : available_lanes()) {
        compare_bits(lie, run_case(lie, lane, {}), run_case(packed, lane, {}), "packed");
        const OpCase back = input_gradient_case(z, t, t, false, false);
        const OpCase packed_back = input_gradient_case(z, t, t, false, true);
        compare_bits(back, run_case(back, lane, {}), run_case(packed_back, lane, {}), "packed");
      }
    }
  }
}

TEST_CASE("linear: a long inner dimension, weights of many columns") {
  for (const DType in : {DType::kF32, DType::kBF16}) {
    check_case(linear_case({5, 33, 2500}, in, in, Form::kPlain));
    check_case(linear_case({9, 2111, 40}, in, in, Form::kPlain));
    check_case(input_gradient_case({9, 2111, 40}, in, in, false));
    check_case(weight_gradient_case({700, 40, 51}, in, true));
    check_case(weight_gradient_case({37, 1030, 51}, in, true));
    // Past what is packed at once: in runs of the inner dimension, and of rows.
    check_case(linear_case({530, 17, 4200}, in, in, Form::kResidual));
    check_case(linear_case({20, 17, 9001}, in, DType::kF32, Form::kAccumulate));
    check_case(weight_gradient_case({4200, 17, 33}, in, true));
    check_case(linear_case({530, 17, 4224}, in, in, Form::kPlain));
    // More rows than are packed at once, the last few of them a panel of their own: what was packed
    // of the other operand must stay.
    check_case(weight_gradient_case({64, 32800, 40}, in, true));
  }
}

TEST_CASE("linear: the gradients are the gradients") {
  Matrix x = normal(3, 5, 1), w = normal(4, 5, 2), y(3, 4), dx(3, 5), dw(4, 5);
  const Matrix dy = normal(3, 4, 3);
  reference::linear_input_gradient(dx, dy, w, false);
  reference::linear_weight_gradient(dw, dy, x, false);
  const auto forward = [&] {
    reference::linear(y, x, w);
    return inner(y, dy);
  };
  check_gradient("x", x, dx, forward);
  check_gradient("w", w, dw, forward);
}

}  // namespace
}  // namespace llmtool::test
