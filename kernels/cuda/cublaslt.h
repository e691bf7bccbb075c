// Matrix products by cuBLASLt, opened at run time: the library is larger than everything else
// together, and a machine without a GPU has none.
#pragma once

#include <cstdint>
#include <memory>

#include "lib/base/view.h"

namespace llmtool::cuda {

class Context;

// d = op(a) op(b) + bias + c for row-major matrices, op the identity or the transpose. Sums are
// f32, without TF32.
struct Product {
  View d;          // (M, N) out; f32, or bf16 where a is
  View a;          // (M, K), or (K, M) if a_transposed; f32 or bf16
  View b;          // (K, N), or (N, K) if b_transposed; dtype of a
  View c;          // (M, N) like d, may be d itself; empty: 0
  View bias = {};  // (1, N) dtype of d, added to every row; empty: 0
  bool a_transposed = false;
  bool b_transposed = false;
  // Each row of d gets the same bits whatever M is: one algorithm, chosen without M, that does not
  // split K. Else the algorithm may depend on M and split K, in a fixed order.
  bool row_invariant = true;
};

class CublasLt {
 public:
  // Throws Fault::kDevice if the library is not found: in the loader's paths (LD_LIBRARY_PATH),
  // where CUDA_HOME points, under /usr/local/cuda, or in the Python environments on PATH.
  // LLMTOOL_CUBLASLT names the file itself.
  CublasLt();
  ~CublasLt();

  // Throws Fault::kDevice, naming shape and type, if the library has no way or fails.
  void multiply(const Product& product, Context& context);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace llmtool::cuda
