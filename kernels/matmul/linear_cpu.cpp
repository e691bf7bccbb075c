#include "kernels/matmul/gemm.h"
#include "kernels/matmul/linear.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

void linear_cpu(const Linear& a, Stream& s) {
  gemm({.c = a.y,
        .a = {a.x, false},
        .b = {a.w, true},
        .residual = a.residual,
        .accumulate = a.accumulate},
       s);
}

void linear_input_gradient_cpu(const LinearInputGradient& a, Stream& s) {
  gemm({.c = a.dx,
        .a = {a.dy, false},
        .b = {a.w, false},
        .residual = {},
        .accumulate = a.accumulate},
       s);
}

void linear_weight_gradient_cpu(const LinearWeightGradient& a, Stream& s) {
  gemm(
      {.c = a.dw, .a = {a.dy, true}, .b = {a.x, false}, .residual = {}, .accumulate = a.accumulate},
      s);
}

LLMTOOL_KERNEL(linear, Device::kCpu, Isa::LLMTOOL_ISA, linear_cpu);
LLMTOOL_KERNEL(linear_input_gradient, Device::kCpu, Isa::LLMTOOL_ISA, linear_input_gradient_cpu);
LLMTOOL_KERNEL(linear_weight_gradient, Device::kCpu, Isa::LLMTOOL_ISA, linear_weight_gradient_cpu);

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
