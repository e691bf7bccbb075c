// cuBLASLt, opened at run time: the library is larger than everything else together, and a machine
// without a GPU has none.
#pragma once

namespace llmtool::cuda {

class CublasLt {};

}  // namespace llmtool::cuda
