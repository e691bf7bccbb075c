#include "kernels/matmul/gemm.h"
#include "kernels/mlp/linear_swiglu_engine.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

constexpr auto forward_kernel = linear_swiglu_on<VectorEngine>;
constexpr auto backward_kernel = linear_swiglu_backward_on<VectorEngine>;
LLMTOOL_KERNEL(linear_swiglu, Device::kCpu, Isa::LLMTOOL_ISA, forward_kernel);
LLMTOOL_KERNEL(linear_swiglu_backward, Device::kCpu, Isa::LLMTOOL_ISA, backward_kernel);

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
