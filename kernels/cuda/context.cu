#include <algorithm>
#include <cstring>

#include "kernels/cuda/context.cuh"
#include "kernels/cuda/cublaslt.h"
#include "lib/base/error.h"

namespace llmtool::cuda {
namespace {

const char* hint_for(cudaError_t status) {
  switch (status) {
    case cudaErrorInsufficientDriver:
      return "install an NVIDIA driver for CUDA 13 (580 or newer), or run on the CPU";
    case cudaErrorNoDevice:
      return "this machine shows no NVIDIA GPU (see nvidia-smi and CUDA_VISIBLE_DEVICES); run on "
             "the CPU";
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorUnsupportedPtxVersion:
      return "this build is for GPUs of compute capability 8.0 and of 9.0 and newer";
    case cudaErrorMemoryAllocation:
      return "see nvidia-smi for who holds the GPU's memory; use a smaller batch";
    default:
      return "";
  }
}

}  // namespace

void check_call(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  fail(Fault::kDevice,
       concat("CUDA: ", what, ": ", cudaGetErrorString(status), " (error ",
              static_cast<int>(status), ")"),
       hint_for(status));
}

Context::Context() {
  check_call(cudaSetDevice(0), "first GPU");
  check_call(cudaDeviceGetAttribute(&multiprocessors_, cudaDevAttrMultiProcessorCount, 0),
             "number of multiprocessors");
  check_call(cudaStreamCreateWithFlags(&queue_, cudaStreamNonBlocking), "new stream");
}

// Errors are of no use here: whoever waits for results has seen them in synchronize().
Context::~Context() {
  cudaStreamSynchronize(queue_);
  cublaslt_.reset();
  cudaFree(workspace_);
  for (const Upload& u : uploads_) cudaFree(u.on_gpu);
  cudaStreamDestroy(queue_);
}

// cudaFree waits for the work that uses the old one.
void* Context::workspace(int64_t bytes) {
  if (bytes <= workspace_bytes_) return workspace_;
  check_call(cudaFree(workspace_), "workspace");
  workspace_ = nullptr;
  workspace_bytes_ = 0;
  const int64_t wanted = std::max<int64_t>(bytes, int64_t{4} << 20);
  check_call(cudaMalloc(&workspace_, static_cast<size_t>(wanted)), "workspace");
  workspace_bytes_ = wanted;
  return workspace_;
}

// The copy is ordered behind the kernels that read what it replaces, and has taken the bytes from
// pageable memory when it returns.
const void* Context::upload(const void* list, int64_t bytes) {
  const auto size = static_cast<size_t>(bytes);
  for (const Upload& u : uploads_) {
    if (u.list.size() == size && std::memcmp(u.list.data(), list, size) == 0) return u.on_gpu;
  }
  Upload& u = uploads_[static_cast<size_t>(next_upload_)];
  next_upload_ = (next_upload_ + 1) % kUploads;
  u.list.clear();
  if (bytes > u.capacity) {
    check_call(cudaFree(u.on_gpu), "memory for a list");
    u.on_gpu = nullptr;
    u.capacity = 0;
    check_call(cudaMalloc(&u.on_gpu, 2 * size), "memory for a list");
    u.capacity = 2 * bytes;
  }
  check_call(cudaMemcpyAsync(u.on_gpu, list, size, cudaMemcpyHostToDevice, queue_),
             "copying a list");
  u.list.assign(static_cast<const char*>(list), static_cast<const char*>(list) + bytes);
  return u.on_gpu;
}

CublasLt& Context::cublaslt() {
  if (!cublaslt_) cublaslt_ = std::make_unique<CublasLt>();
  return *cublaslt_;
}

}  // namespace llmtool::cuda
