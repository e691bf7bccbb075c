#include "kernels/mlp/swiglu.h"

#include "tests/kernels/op_case.h"
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

OpCase forward_case(int64_t n, int64_t f, DType t) {
  OpCase k{.op = "swiglu", .about = concat("N=", n, " F=", f, " ", llmtool::name_of(t))};
  k.output("y", t, n, f);
  k.input("gate", t, gates(n, f));
  k.input("up", t, normal(n, f, 2));
  k.call = [](const Views& v, Stream& s) {
    swiglu({.y = v["y"], .gate = v["gate"], .up = v["up"]}, s);
  };
  k.reference = [](Values& v) { reference::swiglu(v["y"], v["gate"], v["up"]); };
  return k;
}

OpCase backward_case(int64_t n, int64_t f, DType t, bool again) {
  OpCase k{.op = "swiglu_backward",
           .about = concat("N=", n, " F=", f, " ", llmtool::name_of(t), again ? " and y" : "")};
  k.output("dgate", t, n, f);
  k.output("dup", t, n, f);
  if (again) k.output("y", t, n, f);
  k.input("dy", t, normal(n, f, 3));
  k.input("gate", t, gates(n, f));
  k.input("up", t, normal(n, f, 2));
  k.aliases = {{{"dgate", "gate"}, {"dup", "up"}}};
  if (again) k.aliases.push_back({{"dgate", "gate"}, {"dup", "up"}, {"y", "dy"}});
  k.call = [](const Views& v, Stream& s) {
    swiglu_backward({.dgate = v["dgate"],
                     .dup = v["dup"],
                     .y = v["y"],
                     .dy = v["dy"],
                     .gate = v["gate"],
                     .up = v["up"]},
                    s);
  };
  k.reference = [again](Values& v) {
    reference::swiglu_backward(v["dgate"], v["dup"], v["dy"], v["gate"], v["up"]);
    if (again) reference::swiglu(v["y"], v["gate"], v["up"]);
  };
  return k;
}

TEST_CASE("swiglu and its backward") {
  for (const DType t : {DType::kF32, DType::kBF16}) {
    for (const int64_t n : {1, 3, 64}) {
      for (const int64_t f : {1, 7, 64, 65, 576}) {
        check_case(forward_case(n, f, t));
        for (const bool again : {false, true}) check_case(backward_case(n, f, t, again));
      }
    }
  }
}

TEST_CASE("swiglu: the backward is the gradient") {
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
