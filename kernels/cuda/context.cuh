// The state of one CUDA stream that kernels share: the queue, a workspace, and the matmul library.
#pragma once

#include <array>
#include <cstdint>
#include <cuda_runtime.h>
#include <memory>
#include <vector>

#include "lib/base/stream.h"

namespace llmtool::cuda {

class CublasLt;

// Throws Fault::kDevice naming what was tried, CUDA's own words, and what to do about it.
void check_call(cudaError_t status, const char* what);

// After a launch: throws as check_call does if the kernel could not be started.
inline void check_launch(const char* kernel) {
  check_call(cudaGetLastError(), kernel);
}

class Context {
 public:
  Context();  // on the first visible GPU
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  cudaStream_t queue() const { return queue_; }
  int multiprocessors() const { return multiprocessors_; }

  // Scratch memory on the GPU, aligned to 256 bytes, with any content. It is the caller's until the
  // operation it serves is issued: the next operation of the queue may overwrite it.
  void* workspace(int64_t bytes);

  // The same bytes on the GPU. Lists that come again, as those of one layer for the next, are
  // copied once. They stay until kUploads other lists have been asked for.
  const void* upload(const void* list, int64_t bytes);

  // Opened at the first use; throws Fault::kDevice if the library is not found.
  CublasLt& cublaslt();

 private:
  cudaStream_t queue_ = nullptr;
  int multiprocessors_ = 0;
  void* workspace_ = nullptr;
  int64_t workspace_bytes_ = 0;
  std::unique_ptr<CublasLt> cublaslt_;

  static constexpr int kUploads = 4;
  struct Upload {
    std::vector<char> list;
    void* on_gpu = nullptr;
    int64_t capacity = 0;
  };
  std::array<Upload, kUploads> uploads_;
  int next_upload_ = 0;
};

inline Context& context_of(const Stream& stream) {
  return *static_cast<Context*>(stream.context);
}
inline cudaStream_t queue_of(const Stream& stream) {
  return static_cast<cudaStream_t>(stream.handle);
}

}  // namespace llmtool::cuda
