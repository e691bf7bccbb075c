#include "kernels/attention/attention_fma.cuh"
#include "kernels/attention/attention_mma.cuh"

namespace llmtool::cuda {
namespace {

struct Job {
  const Attention& args;
  Stream& stream;
  const AttentionTile* tiles;
  dim3 grid;
  AttentionHeads heads;
};

template <class T, int kDim>
void run_fma(const Job& j) {
  launch(attention.name, attention_fma_kernel<T, kDim / kSquare>, j.grid, dim3(kFmaThreads), 0,
         j.stream, j.args.out, j.args.lse, j.args.q, j.args.k, j.args.v, j.tiles, j.heads);
}

template <int kDim>
void run_mma(const Job& j) {
  const Attention& a = j.args;
  const bool whole = in_whole_pieces(a.q, a.head_dim) && in_whole_pieces(a.k, a.head_dim) &&
                     in_whole_pieces(a.v, a.head_dim);
  launch(attention.name, attention_mma_kernel<kDim>, j.grid, dim3(kMmaThreads),
         3 * kTileBytes<kDim>, j.stream, a.out, a.lse, a.q, a.k, a.v, j.tiles, j.heads, whole);
}

void attention_cuda(const Attention& a, Stream& s) {
  check(a.head_dim <= kMaxHeadDim, Fault::kInput, "attention on CUDA: head_dim is ", a.head_dim,
        ", at most ", kMaxHeadDim);
  const auto tiles = row_tiles(a.sequences, a.sequence_count, a.heads / a.kv_heads);
  const Job job{
      .args = a,
      .stream = s,
      .tiles = upload(tiles, s),
      .grid = dim3(static_cast<unsigned>(tiles.size()), static_cast<unsigned>(a.kv_heads)),
      .heads = {static_cast<int>(a.heads / a.kv_heads), static_cast<int>(a.head_dim), a.scale}};
  if (a.q.dtype == DType::kF32) {
    a.head_dim <= 64 ? run_fma<float, 64>(job) : run_fma<float, kMaxHeadDim>(job);
  } else if (a.head_dim <= 64) {
    run_mma<64>(job);
  } else if (a.head_dim <= 128) {
    run_mma<128>(job);
  } else {
    run_fma<bf16, kMaxHeadDim>(job);
  }
}

LLMTOOL_KERNEL(attention, Device::kCuda, Isa::kNone, attention_cuda);

}  // namespace
}  // namespace llmtool::cuda
