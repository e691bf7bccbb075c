// A call of attention_backward on CUDA, cut into blocks; delta is computed.
#pragma once

#include "kernels/attention/attention_work.cuh"

namespace llmtool::cuda {

struct AttentionBackwardJob {
  const AttentionBackward& args;
  const Stream& stream;
  const AttentionTile *rows, *keys;
  dim3 row_grid, key_grid;
  AttentionHeads heads;
};

// dq, dk and dv in f32 arithmetic: f32 of any head dimension, bf16 of more than 128.
void attention_backward_fma(const AttentionBackwardJob& job);

}  // namespace llmtool::cuda
