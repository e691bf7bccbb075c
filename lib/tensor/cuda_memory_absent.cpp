#include "lib/base/error.h"
#include "lib/tensor/cuda_memory.h"

namespace llmtool::cuda {
namespace {

[[noreturn]] void fail_absent() {
  fail(Fault::kDevice, "this build of llmtool has no CUDA",
       "build it where nvcc is found, with -DLLMTOOL_CUDA=ON, or run on the CPU");
}

}  // namespace

bool available() noexcept {
  return false;
}
void open(Stream&) {
  fail_absent();
}
void close(Stream&) noexcept {}
void synchronize(Stream&) {
  fail_absent();
}
std::string bus_id() {
  fail_absent();
}
void* allocate(int64_t) {
  fail_absent();
}
void free(void*) noexcept {}
void copy(void*, const void*, int64_t, Direction, Stream&) {
  fail_absent();
}
void zero(void*, int64_t, Stream&) {
  fail_absent();
}

}  // namespace llmtool::cuda
