#include "lib/corpus/ngram/model_bytes.h"

#include <algorithm>
#include <new>
#include <sys/mman.h>

#include "lib/base/error.h"
#include "lib/base/positioned_file.h"

namespace llmtool {

ModelBytes::ModelBytes(size_t size) {
  allocate(size);
}

ModelBytes::ModelBytes(const fs::path& path, ModelLoading loading) {
  if (loading == ModelLoading::kCopy) {
    const PositionedFile file = PositionedFile::open(path);
    allocate(file.size());
    file.read(0, memory_, bytes_.size());
    return;
  }
  file_.emplace(path);
  bytes_ = file_->bytes();
  if (bytes_.empty()) return;
  void* at = const_cast<std::byte*>(bytes_.data());
  // Only advice: where a kernel does not know it, pages come when they are needed.
  if (loading == ModelLoading::kPopulate) {
    ::madvise(at, bytes_.size(), MADV_POPULATE_READ);
  } else {
    ::madvise(at, bytes_.size(), MADV_RANDOM);
  }
}

void ModelBytes::allocate(size_t size) {
  if (size == 0) return;
  void* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) throw std::bad_alloc();
  ::madvise(at, size, MADV_HUGEPAGE);
  memory_ = static_cast<std::byte*>(at);
  bytes_ = {memory_, size};
}

ModelBytes::~ModelBytes() {
  if (memory_ != nullptr) ::munmap(memory_, bytes_.size());
}

std::byte* ModelBytes::data() {
  LLMTOOL_ASSERT(!file_);
  return memory_;
}

}  // namespace llmtool
