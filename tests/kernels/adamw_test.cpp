#include "kernels/optim/adamw.h"

#include "tests/kernels/op_case.h"
#include "tests/kernels/reference.h"

namespace llmtool::test {
namespace {

Matrix squares_of(Matrix m) {
  for (double& v : m.values) v *= v;
  return m;
}

OpCase adamw_case(int64_t n, DType t, int64_t step, float weight_decay) {
  OpCase k{.op = "adamw", .about = concat("n=", n, " ", llmtool::name_of(t), " step ", step)};
  Matrix g = normal(1, n, 4);
  for (size_t i = 0; i < g.values.size(); i += 9) g.values[i] = 0;  // rows of tokens never seen
  const bool first = step == 1;
  k.output("w", t, 1, n);
  k.in_out("master", DType::kF32, normal(1, n, 1));
  k.in_out("m", DType::kF32, first ? Matrix(1, n) : normal(1, n, 2, 0.1));
  k.in_out("v", DType::kF32, first ? Matrix(1, n) : squares_of(normal(1, n, 3, 0.1)));
  k.in_out("g", DType::kF32, g);
  if (t == DType::kF32) k.aliases = {{{"w", "master"}}};
  AdamW a{.w = {},
          .master = {},
          .m = {},
          .v = {},
          .g = {},
          .step = step,
          .lr = 3e-2f,
          .weight_decay = weight_decay,
          .grad_scale = 0.37f};
  k.call = [a](const Views& v, Stream& s) {
    AdamW args = a;
    args.w = v["w"], args.master = v["master"], args.m = v["m"], args.v = v["v"], args.g = v["g"];
    adamw(args, s);
  };
  k.reference = [a](Values& v) {
    reference::adamw(v["w"], v["master"], v["m"], v["v"], v["g"],
                     {a.lr, a.beta1, a.beta2, a.eps, a.weight_decay, a.grad_scale, a.step});
    v["g"] = Matrix(v["g"].rows, v["g"].cols);
  };
  return k;
}

TEST_CASE("adamw") {
  for (const DType t : {DType::kF32, DType::kBF16}) {
    for (const int64_t n : {1, 7, 64, 65, 577, 100'003}) {
      for (const int64_t step : {1, 2, 1000}) {
        for (const float decay : {0.0f, 0.1f}) check_case(adamw_case(n, t, step, decay));
      }
    }
  }
}

// Where an element lies must not matter: a tensor cut in two gets the same bits.
TEST_CASE("adamw: each element by itself") {
  OpCase whole = adamw_case(1003, DType::kF32, 5, 0.1f), parts = whole;
  parts.call = [call = whole.call](const Views& v, Stream& s) {
    for (const auto& [begin, count] : {std::pair<int64_t, int64_t>{0, 501}, {501, 502}}) {
      Views part;
      for (const char* name : {"w", "master", "m", "v", "g"}) {
        part.put(name, v[name].slice_cols(begin, count));
      }
      call(part, s);
    }
  };
  for (const Lane& lane : available_lanes()) {
    compare_bits(whole, run_case(whole, lane, {}), run_case(parts, lane, {}), "in two parts");
  }
}

}  // namespace
}  // namespace llmtool::test
