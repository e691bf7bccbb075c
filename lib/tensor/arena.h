// Planned memory of one device: one allocation, cut into arrays in a fixed order. The same layout
// code runs twice, first on an Arena that only counts, then on one that owns the memory:
//     Arena count(device);             layout(count);
//     Arena real(device, count.size()); layout(real);
#pragma once

#include <cstdint>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/view.h"
#include "lib/tensor/memory.h"

namespace llmtool {

// Device memory with an owner; zeroed.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Device device, int64_t bytes)
      : device_(device), bytes_(bytes), data_(allocate_memory(device, bytes)) {}
  ~Buffer() {
    if (data_ != nullptr) free_memory(device_, data_);
  }
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    swap(other);
    return *this;
  }

  char* data() const { return static_cast<char*>(data_); }
  int64_t bytes() const { return bytes_; }
  Device device() const { return device_; }

 private:
  void swap(Buffer& other) noexcept {
    std::swap(device_, other.device_);
    std::swap(bytes_, other.bytes_);
    std::swap(data_, other.data_);
  }

  Device device_ = Device::kCpu;
  int64_t bytes_ = 0;
  void* data_ = nullptr;
};

class Arena {
 public:
  // Counts only: the views it gives have the right shapes and no memory.
  explicit Arena(Device device) : device_(device) {}
  Arena(Device device, int64_t bytes) : device_(device), buffer_(device, bytes), owns_(true) {}

  View take(DType dtype, int64_t rows, int64_t cols) {
    return View{take_bytes(rows * cols * size_of(dtype)), rows, cols, cols, dtype};
  }
  template <class T>
  T* take_array(int64_t n) {
    return static_cast<T*>(take_bytes(n * static_cast<int64_t>(sizeof(T))));
  }

  int64_t size() const { return used_; }  // bytes needed so far
  Device device() const { return device_; }

 private:
  void* take_bytes(int64_t bytes) {
    void* p = owns_ ? buffer_.data() + used_ : nullptr;
    constexpr int64_t kAlignment = 64;
    used_ += (bytes + kAlignment - 1) / kAlignment * kAlignment;
    LLMTOOL_ASSERT(!owns_ || used_ <= buffer_.bytes());
    return p;
  }

  Device device_;
  Buffer buffer_;
  bool owns_ = false;
  int64_t used_ = 0;
};

}  // namespace llmtool
