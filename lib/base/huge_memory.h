// Memory of zeros, in huge pages where the system has them: for tables that are read all over the
// place, where the address of each small page would have to be looked up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace llmtool {

class HugeMemory {
 public:
  HugeMemory() = default;
  explicit HugeMemory(size_t bytes);  // std::bad_alloc if there is not so much
  HugeMemory(HugeMemory&& other) noexcept;
  HugeMemory& operator=(HugeMemory&& other) noexcept;
  ~HugeMemory();

  size_t size() const { return size_; }
  std::byte* data() const { return data_; }
  // As many as it has whole.
  std::span<uint64_t> words() const {
    return {reinterpret_cast<uint64_t*>(data_), size_ / sizeof(uint64_t)};
  }

 private:
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace llmtool
