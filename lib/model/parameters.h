// The parameters of a model in one flat block: weights in the dtype the model computes with,
// gradients and anything an optimizer keeps in f32 at the same offsets. Matrices that are
// multiplied with the same input lie one after another (q, k, v; gate, up), so that one matmul does
// them all.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/base/view.h"
#include "lib/io/safetensors.h"
#include "lib/tensor/arena.h"

namespace llmtool {

struct Parameter {
  std::string name;    // Hugging Face's, e.g. model.layers.0.self_attn.q_proj.weight
  int64_t rows, cols;  // a vector is one row
  bool vector;         // one dimension in files: [cols]
  bool follows;        // lies right behind the one before it, unaligned
  double init_std;     // of a normal distribution; 0: all ones
  int64_t offset = 0;  // elements from the start of the block

  int64_t count() const { return rows * cols; }
};

class Parameters {
 public:
  // Sets the offsets. No memory yet.
  explicit Parameters(std::vector<Parameter> list);

  const std::vector<Parameter>& list() const { return list_; }
  int64_t size() const { return size_; }    // elements of the block, padding counted
  int64_t count() const;                    // without padding
  int find(const std::string& name) const;  // index; -1: none

  void allocate_weights(DType dtype, Device device);
  void allocate_gradients();  // f32, zero
  bool has_gradients() const { return gradients_.data() != nullptr; }
  DType dtype() const { return dtype_; }
  Device device() const { return device_; }

  // `count` parameters from `index` on, which must follow each other, as one matrix.
  View weight(int index, int count = 1) const {
    return view(weights_.data(), dtype_, index, count);
  }
  View gradient(int index, int count = 1) const {
    return view(gradients_.data(), DType::kF32, index, count);
  }
  // Parameter `index` of another block of `size()` elements, e.g. a moment of the optimizer.
  View in_block(char* block, DType dtype, int index) const { return view(block, dtype, index, 1); }
  // A whole block as one row.
  View all_weights() const { return View{weights_.data(), 1, size_, size_, dtype_}; }
  View all_gradients() const { return View{gradients_.data(), 1, size_, size_, DType::kF32}; }

  // Changes with the weights, from 1 once there are some: whoever writes to views of them, other
  // than initialize() and load(), says so with weights_changed().
  uint64_t version() const { return version_; }
  void weights_changed() { ++version_; }

  // Normal random numbers that depend on seed, the parameter's name and the element only.
  void initialize(uint64_t seed, Stream& stream);

  // Reads every parameter from a model folder, or fails with Fault::kInput naming the tensor, the
  // file, the shape found and the one expected. A tensor in the file that the model does not have
  // is an error too.
  void load(const SafetensorsFolder& folder, const std::vector<std::string>& ignored,
            Stream& stream);
  // Host copies of a block, and the list to write: `prefix` before each name.
  std::vector<TensorToWrite> to_write(const char* block, DType dtype,
                                      const std::string& prefix = {}) const;

 private:
  View view(char* block, DType dtype, int index, int count) const;

  std::vector<Parameter> list_;
  int64_t size_ = 0;
  DType dtype_ = DType::kF32;
  Device device_ = Device::kCpu;
  Buffer weights_, gradients_;
  uint64_t version_ = 0;
};

// The bytes of a device block on the host.
std::vector<char> download(const Buffer& block, Stream& stream);

}  // namespace llmtool
