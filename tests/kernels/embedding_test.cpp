#include "kernels/embedding/embedding.h"

#include "tests/kernels/op_case.h"
#include "tests/kernels/reference.h"

namespace llmtool::test {
namespace {

constexpr int64_t kVocab = 11;

OpCase forward_case(int64_t n, int64_t c, DType t) {
  OpCase k{.op = "embedding", .about = concat("N=", n, " C=", c, " ", llmtool::name_of(t))};
  k.output("y", t, n, c);
  k.shared_input("w", t, normal(kVocab, c, 1));
  k.ids["ids"] = random_ids(n, kVocab, 2);
  k.call = [](const Views& v, Stream& s) {
    embedding({.y = v["y"], .w = v["w"], .ids = v.ids("ids")}, s);
  };
  k.reference = [ids = k.ids["ids"]](Values& v) { reference::embedding(v["y"], v["w"], ids); };
  return k;
}

OpCase backward_case(int64_t n, int64_t c, DType t) {
  OpCase k{.op = "embedding_backward",
           .about = concat("N=", n, " C=", c, " ", llmtool::name_of(t))};
  k.input("dy", t, normal(n, c, 3));
  k.in_out("dw", DType::kF32, normal(kVocab, c, 4), false);
  k.ids["ids"] = random_ids(n, kVocab, 5);
  k.sums_in_row_order = true;
  k.call = [](const Views& v, Stream& s) {
    embedding_backward({.dw = v["dw"], .dy = v["dy"], .ids = v.ids("ids")}, s);
  };
  k.reference = [ids = k.ids["ids"]](Values& v) {
    reference::embedding_backward(v["dw"], v["dy"], ids);
  };
  return k;
}

TEST_CASE("embedding and its backward") {
  for (const DType t : {DType::kF32, DType::kBF16}) {
    for (const int64_t n : {1, 3, 65, 130}) {
      for (const int64_t c : {1, 7, 64, 65, 576}) {
        check_case(forward_case(n, c, t));
        check_case(backward_case(n, c, t));
      }
    }
  }
}

TEST_CASE("embedding: the backward is the gradient") {
  const std::vector<int32_t> ids = {2, 0, 2, 1};
  Matrix w = normal(3, 5, 1), y(4, 5), dw(3, 5);
  const Matrix dy = normal(4, 5, 2);
  reference::embedding_backward(dw, dy, ids);
  check_gradient("w", w, dw, [&] {
    reference::embedding(y, w, ids);
    return inner(y, dy);
  });
}

}  // namespace
}  // namespace llmtool::test
