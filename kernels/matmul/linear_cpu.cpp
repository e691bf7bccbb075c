#include "kernels/matmul/linear_engine.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

LLMTOOL_LINEAR_KERNELS(VectorEngine);

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
