#include "kernels/matmul/amx_tiles.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

LLMTOOL_INT8_KERNELS(AmxEngine<HardwareTiles, TilesOfInt8>);

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
