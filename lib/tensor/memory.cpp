#include "lib/tensor/memory.h"

#include <cstdlib>
#include <cstring>

#include "lib/base/error.h"
#include "lib/tensor/cuda_memory.h"

namespace llmtool {
namespace {

// calloc leaves large blocks to the kernel, which hands out zero pages when they are first touched.
// What it returned is kept in the word before the aligned block.
void* allocate_on_cpu(int64_t bytes) {
  const auto size = static_cast<size_t>(bytes);
  void* block = std::calloc(size + kMemoryAlignment + sizeof(void*), 1);
  if (block == nullptr) {
    fail(Fault::kFailed, concat("out of memory: could not get ", bytes, " bytes"),
         "a smaller batch, context or model needs less; `llmtool train --plan` tells how much");
  }
  const auto first = reinterpret_cast<uintptr_t>(block) + sizeof(void*);
  const uintptr_t aligned = (first + kMemoryAlignment - 1) / kMemoryAlignment * kMemoryAlignment;
  void* memory = reinterpret_cast<void*>(aligned);
  static_cast<void**>(memory)[-1] = block;
  return memory;
}

cuda::Direction direction_between(Device to, Device from) {
  if (to != Device::kCuda) return cuda::Direction::kFromGpu;
  return from == Device::kCuda ? cuda::Direction::kWithinGpu : cuda::Direction::kToGpu;
}

}  // namespace

std::vector<Device> available_devices() {
  std::vector<Device> devices{Device::kCpu};
  if (cuda::available()) devices.push_back(Device::kCuda);
  return devices;
}

Stream open_stream(Device device, ThreadPool& pool) {
  Stream stream;
  stream.device = device;
  stream.isa = selected_isa();
  stream.pool = &pool;
  if (device == Device::kCuda) cuda::open(stream);
  return stream;
}

void close_stream(Stream& stream) noexcept {
  if (stream.device == Device::kCuda) cuda::close(stream);
}

void synchronize(Stream& stream) {
  if (stream.device == Device::kCuda) cuda::synchronize(stream);
}

std::string bus_id(const Stream& stream) {
  return stream.device == Device::kCuda ? cuda::bus_id() : std::string();
}

void* allocate_memory(Device device, int64_t bytes) {
  LLMTOOL_ASSERT(bytes >= 0);
  return device == Device::kCuda ? cuda::allocate(bytes) : allocate_on_cpu(bytes);
}

void free_memory(Device device, void* memory) noexcept {
  if (memory == nullptr) return;
  if (device == Device::kCuda) {
    cuda::free(memory);
  } else {
    std::free(static_cast<void**>(memory)[-1]);
  }
}

void copy_memory(void* to, Device to_device, const void* from, Device from_device, int64_t bytes,
                 Stream& stream) {
  if (bytes == 0) return;
  if (to_device == Device::kCpu && from_device == Device::kCpu) {
    std::memmove(to, from, static_cast<size_t>(bytes));
  } else {
    cuda::copy(to, from, bytes, direction_between(to_device, from_device), stream);
  }
}

void zero_memory(void* memory, Device device, int64_t bytes, Stream& stream) {
  if (bytes == 0) return;
  if (device == Device::kCuda) {
    cuda::zero(memory, bytes, stream);
  } else {
    std::memset(memory, 0, static_cast<size_t>(bytes));
  }
}

}  // namespace llmtool
