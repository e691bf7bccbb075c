#include "kernels/matmul/amx_tiles.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

constexpr auto linear_int8_kernel = linear_int8_on<AmxEngine<HardwareTiles, TilesOfInt8>>;
LLMTOOL_KERNEL(linear_int8, Device::kCpu, Isa::LLMTOOL_ISA, linear_int8_kernel);

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
