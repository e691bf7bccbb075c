#include "kernels/cuda/context.cuh"
#include "lib/base/error.h"
#include "lib/tensor/cuda_memory.h"

namespace llmtool::cuda {

bool available() noexcept {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess && count > 0;
}

void open(Stream& stream) {
  int count = 0;
  check_call(cudaGetDeviceCount(&count), "looking for a GPU");
  check_call(count > 0 ? cudaSuccess : cudaErrorNoDevice, "looking for a GPU");
  auto* context = new Context;
  stream.context = context;
  stream.handle = context->queue();
}

void close(Stream& stream) noexcept {
  delete static_cast<Context*>(stream.context);
  stream.context = nullptr;
  stream.handle = nullptr;
}

void synchronize(Stream& stream) {
  check_call(cudaStreamSynchronize(queue_of(stream)), "waiting for the GPU");
}

std::string bus_id() {
  char id[32];
  check_call(cudaDeviceGetPCIBusId(id, sizeof id, 0), "PCI bus id of the GPU");
  return id;
}

// Streams do not wait for the default one: the zeroes must be there before the pointer is handed
// out.
void* allocate(int64_t bytes) {
  void* memory = nullptr;
  const auto size = static_cast<size_t>(bytes > 0 ? bytes : 1);
  const cudaError_t status = cudaMalloc(&memory, size);
  if (status == cudaErrorMemoryAllocation) {
    size_t left = 0, total = 0;
    cudaGetLastError();  // clears it
    cudaMemGetInfo(&left, &total);
    fail(Fault::kFailed,
         concat("out of memory: could not get ", bytes, " bytes on the GPU; ", left, " of ", total,
                " are free"),
         "use a smaller batch; nvidia-smi shows who else holds memory");
  }
  check_call(status, "allocating memory");
  check_call(cudaMemset(memory, 0, size), "zeroing new memory");
  check_call(cudaStreamSynchronize(nullptr), "zeroing new memory");
  return memory;
}

void free(void* memory) noexcept {
  cudaFree(memory);
}

void copy(void* to, const void* from, int64_t bytes, Direction direction, Stream& stream) {
  LLMTOOL_ASSERT(stream.device == Device::kCuda && stream.context != nullptr);
  const cudaMemcpyKind kind = direction == Direction::kToGpu     ? cudaMemcpyHostToDevice
                              : direction == Direction::kFromGpu ? cudaMemcpyDeviceToHost
                                                                 : cudaMemcpyDeviceToDevice;
  check_call(cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), kind, queue_of(stream)),
             "copying memory");
  if (direction != Direction::kWithinGpu) synchronize(stream);
}

void zero(void* memory, int64_t bytes, Stream& stream) {
  LLMTOOL_ASSERT(stream.device == Device::kCuda && stream.context != nullptr);
  check_call(cudaMemsetAsync(memory, 0, static_cast<size_t>(bytes), queue_of(stream)),
             "zeroing memory");
}

}  // namespace llmtool::cuda
