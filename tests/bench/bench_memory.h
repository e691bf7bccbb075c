// Matrices for the benchmarks: aligned, filled with small reproducible values.
#pragma once

#include <cstdint>
#include <memory>

#include "lib/base/dtype.h"
#include "lib/base/view.h"
#include "lib/tensor/memory.h"

namespace llmtool {

class BenchMatrix {
 public:
  BenchMatrix(int64_t rows, int64_t cols, DType dtype = DType::kF32)
      : memory_(allocate_memory(Device::kCpu, rows * cols * size_of(dtype))),
        view_{memory_.get(), rows, cols, cols, dtype} {
    for (int64_t i = 0; i < rows * cols; ++i) {
      const float x = static_cast<float>(i * 2654435761 % 1024 - 512) / 512;
      if (dtype == DType::kF32) static_cast<float*>(view_.data)[i] = x;
      if (dtype == DType::kBF16) static_cast<bf16*>(view_.data)[i] = to_bf16(x);
    }
  }
  operator View() const { return view_; }

 private:
  struct Free {
    void operator()(void* memory) const { free_memory(Device::kCpu, memory); }
  };
  std::unique_ptr<void, Free> memory_;
  View view_;
};

}  // namespace llmtool
