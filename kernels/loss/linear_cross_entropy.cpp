#include "kernels/loss/linear_cross_entropy.h"

#include <algorithm>
#include <optional>

#include "kernels/matmul/linear.h"

namespace llmtool {
namespace {

constexpr int64_t kScratchFloats = int64_t{24} << 20;  // 96 MiB

void check_args(const LinearCrossEntropy& a, bool gradient) {
  LLMTOOL_ASSERT(a.loss.rows == a.x.rows && a.x.cols == a.w.cols && a.x.dtype == a.w.dtype);
  LLMTOOL_ASSERT(a.logits.rows >= 1 && a.logits.cols == a.w.rows);
  LLMTOOL_ASSERT(a.logits.dtype == DType::kF32);
  LLMTOOL_ASSERT(a.dx.empty() || alike(a.dx, a.x));
  LLMTOOL_ASSERT(a.dw.empty() || (same_shape(a.dw, a.w) && a.dw.dtype == DType::kF32));
  if (!gradient) return;
  LLMTOOL_ASSERT(same_shape(a.dlogits, a.logits) && a.dlogits.dtype == a.x.dtype);
}

}  // namespace

Cost LinearCrossEntropy::cost() const {
  const double product = product_flops(x.rows, x.cols, w.rows);
  const double products = 1 + (dx.empty() ? 0 : 1) + (dw.empty() ? 0 : 1);
  const double softmax = dx.empty() && dw.empty() ? 4 : 6;  // as CrossEntropy
  return {.flops = products * product + softmax * static_cast<double>(x.rows * w.rows),
          .read = bytes_of(x) + bytes_of(w) + bytes_of(dw) + 4 * static_cast<double>(x.rows),
          .written = bytes_of(loss) + bytes_of(dx) + bytes_of(dw),
          .unit = x.dtype};
}

int64_t linear_cross_entropy_rows(int64_t n, int64_t vocab) {
  return std::max<int64_t>(1, std::min(n, kScratchFloats / std::max<int64_t>(1, vocab)));
}

void linear_cross_entropy(const LinearCrossEntropy& a, Stream& stream) {
  const bool gradient = !a.dx.empty() || !a.dw.empty();
  check_args(a, gradient);
  std::optional<Profile::Scope> scope;
  if (stream.profile != nullptr) scope.emplace(*stream.profile, "linear_cross_entropy", a.cost());
  for (int64_t begin = 0; begin < a.x.rows; begin += a.logits.rows) {
    const int64_t rows = std::min(a.logits.rows, a.x.rows - begin);
    const View x = a.x.slice_rows(begin, rows), logits = a.logits.slice_rows(0, rows);
    const View dlogits = gradient ? a.dlogits.slice_rows(0, rows) : View{};
    linear({.y = logits, .x = x, .w = a.w, .packed = a.packed}, stream);
    cross_entropy({.loss = a.loss.slice_rows(begin, rows),
                   .logits = logits,
                   .dlogits = dlogits,
                   .targets = a.targets + begin,
                   .scale = a.scale},
                  stream);
    if (!a.dx.empty()) {
      linear_input_gradient({.dx = a.dx.slice_rows(begin, rows),
                             .dy = dlogits,
                             .w = a.w,
                             .packed = a.packed_gradient},
                            stream);
    }
    if (!a.dw.empty()) {
      linear_weight_gradient({.dw = a.dw, .dy = dlogits, .x = x, .accumulate = true}, stream);
    }
  }
}

}  // namespace llmtool
