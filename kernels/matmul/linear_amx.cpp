#include "kernels/matmul/amx_tiles.h"
#include "kernels/matmul/linear_engine.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

LLMTOOL_LINEAR_KERNELS(TileEngine);

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
