#include "lib/model/packed_weights.h"

#include "kernels/matmul/linear.h"
#include "lib/base/error.h"

namespace llmtool {
namespace {

int64_t bytes_of_layout(const MatrixToPack& m, bool gradient, Stream& stream) {
  if (stream.device != Device::kCpu) return 0;
  int64_t bytes = 0;
  pack_linear({.w = m.w,
               .gated = m.gated && !gradient,
               .input_gradient = gradient,
               .to = nullptr,
               .bytes = &bytes},
              stream);
  return bytes;
}

// Into the memory of `to`, which is made if it is not there.
void lay_out(Buffer& to, const MatrixToPack& m, bool gradient, Stream& stream) {
  int64_t bytes = to.bytes();
  if (bytes == 0) bytes = bytes_of_layout(m, gradient, stream);
  if (bytes == 0) return;
  if (to.data() == nullptr) to = Buffer(stream.device, bytes);
  pack_linear({.w = m.w,
               .gated = m.gated && !gradient,
               .input_gradient = gradient,
               .to = to.data(),
               .bytes = &bytes},
              stream);
}

}  // namespace

int64_t PackedWeights::bytes(const std::vector<MatrixToPack>& matrices, bool gradients,
                             Stream& stream) {
  int64_t sum = 0;
  for (const MatrixToPack& m : matrices) {
    sum += bytes_of_layout(m, false, stream);
    if (gradients) sum += bytes_of_layout(m, true, stream);
  }
  return sum;
}

void PackedWeights::refresh(const std::vector<MatrixToPack>& matrices, bool gradients,
                            uint64_t version, Stream& stream) {
  const bool is_first = version_ == 0;
  if (is_first) isa_ = stream.isa;
  LLMTOOL_ASSERT(stream.isa == isa_);
  if (is_of(version)) return;
  if (is_first) lies_packed_ = bytes(matrices, false, stream) == 0;
  const size_t count = lies_packed_ ? 0 : matrices.size();
  forward_.resize(count);
  if (gradients) gradient_.resize(count);
  for (size_t i = 0; i < count; ++i) {
    lay_out(forward_[i], matrices[i], false, stream);
    if (gradients) lay_out(gradient_[i], matrices[i], true, stream);
  }
  version_ = version;
}

}  // namespace llmtool
