// The matrices of a model as pack_linear() lays them out for the stream's CPU level, beside the
// weights as they lie: made once for many products, anew when the weights have changed.
#pragma once

#include <cstdint>
#include <vector>

#include "lib/base/stream.h"
#include "lib/base/view.h"
#include "lib/tensor/arena.h"

namespace llmtool {

struct MatrixToPack {
  View w;              // (N, K)
  bool gated = false;  // gate above up, for linear_swiglu
};

class PackedWeights {
 public:
  // Bytes of all layouts; the memory of the views need not be there. 0 on a GPU, and at a level
  // that takes the weights as they lie.
  static int64_t bytes(const std::vector<MatrixToPack>& matrices, bool gradients, Stream& stream);

  // Lays out all matrices, for their input gradients too if asked, unless that has been done for
  // this version of the weights. Always for the same level. Throws Fault::kFailed if there is no
  // memory.
  void refresh(const std::vector<MatrixToPack>& matrices, bool gradients, uint64_t version,
               Stream& stream);
  bool is_of(uint64_t version) const { return version_ == version; }
  void clear() { *this = {}; }

  // Of matrix i: for the product, and for the input gradient; null: as it lies.
  const void* forward(size_t i) const { return data(forward_, i); }
  const void* gradient(size_t i) const { return data(gradient_, i); }

 private:
  static const void* data(const std::vector<Buffer>& list, size_t i) {
    return i < list.size() ? list[i].data() : nullptr;
  }

  uint64_t version_ = 0;      // of weights that are there: from 1
  Isa isa_ = Isa::kNone;      // the level that they are laid out for
  bool lies_packed_ = false;  // this level takes the weights as they lie
  std::vector<Buffer> forward_, gradient_;
};

}  // namespace llmtool
