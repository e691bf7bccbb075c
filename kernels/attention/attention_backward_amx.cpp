#include "kernels/attention/key_major_backward.h"
#include "kernels/matmul/amx_tiles.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

constexpr auto attention_backward_kernel =
    attention_backward_by_heads<KeyMajorGradients<TileEngine>>;
LLMTOOL_KERNEL(attention_backward, Device::kCpu, Isa::LLMTOOL_ISA, attention_backward_kernel);

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
