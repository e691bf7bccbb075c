#include "kernels/matmul/dot_engine.h"
#include "kernels/matmul/linear_engine.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

LLMTOOL_LINEAR_KERNELS(DotEngine);

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
