#include "kernels/attention/forward_tiles.h"
#include "kernels/matmul/gemm.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

constexpr auto attention_kernel = attention_by_tiles<AttentionForward<VectorEngine>>;
LLMTOOL_KERNEL(attention, Device::kCpu, Isa::LLMTOOL_ISA, attention_kernel);

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
