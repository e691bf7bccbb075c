#include "kernels/attention/backward_tiles.h"
#include "kernels/matmul/dot_engine.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

constexpr auto attention_backward_kernel =
    attention_backward_by_heads<AttentionGradients<DotEngine>>;
LLMTOOL_KERNEL(attention_backward, Device::kCpu, Isa::LLMTOOL_ISA, attention_backward_kernel);

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
