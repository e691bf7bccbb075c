#include "kernels/attention/key_major_forward.h"
#include "kernels/matmul/amx_tiles.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

constexpr auto attention_kernel = attention_by_tiles<KeyMajorForward<TileEngine>>;
LLMTOOL_KERNEL(attention, Device::kCpu, Isa::LLMTOOL_ISA, attention_kernel);

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
