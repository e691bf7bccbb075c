#include "kernels/cuda/context.cuh"
#include "kernels/cuda/cublaslt.h"
#include "kernels/matmul/linear.h"

namespace llmtool::cuda {
namespace {

void linear_cuda(const Linear& a, Stream& s) {
  if (a.y.rows == 0) return;
  Context& context = context_of(s);
  context.cublaslt().multiply({.d = a.y,
                               .a = a.x,
                               .b = a.w,
                               .c = a.accumulate ? a.y : a.residual,
                               .bias = a.bias,
                               .a_transposed = false,
                               .b_transposed = true,
                               .row_invariant = true},
                              context);
}

void linear_input_gradient_cuda(const LinearInputGradient& a, Stream& s) {
  if (a.dx.rows == 0) return;
  Context& context = context_of(s);
  context.cublaslt().multiply({.d = a.dx,
                               .a = a.dy,
                               .b = a.w,
                               .c = a.accumulate ? a.dx : View{},
                               .a_transposed = false,
                               .b_transposed = false,
                               .row_invariant = true},
                              context);
}

// Its rows are those of the weights: nothing is promised about the number of rows it sums over.
void linear_weight_gradient_cuda(const LinearWeightGradient& a, Stream& s) {
  Context& context = context_of(s);
  if (a.x.rows == 0) {
    if (a.accumulate) return;
    check_call(cudaMemset2DAsync(a.dw.data, static_cast<size_t>(a.dw.stride) * sizeof(float), 0,
                                 static_cast<size_t>(a.dw.cols) * sizeof(float),
                                 static_cast<size_t>(a.dw.rows), context.queue()),
               linear_weight_gradient.name);
    return;
  }
  context.cublaslt().multiply({.d = a.dw,
                               .a = a.dy,
                               .b = a.x,
                               .c = a.accumulate ? a.dw : View{},
                               .a_transposed = true,
                               .b_transposed = false,
                               .row_invariant = false},
                              context);
}

LLMTOOL_KERNEL(linear, Device::kCuda, Isa::kNone, linear_cuda);
LLMTOOL_KERNEL(linear_input_gradient, Device::kCuda, Isa::kNone, linear_input_gradient_cuda);
LLMTOOL_KERNEL(linear_weight_gradient, Device::kCuda, Isa::kNone, linear_weight_gradient_cuda);

}  // namespace
}  // namespace llmtool::cuda
