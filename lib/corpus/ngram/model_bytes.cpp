#include "lib/corpus/ngram/model_bytes.h"

#include <algorithm>
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
    file.read(0, memory_.data(), bytes_.size());
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
  memory_ = HugeMemory(size);
  bytes_ = {memory_.data(), size};
}

std::byte* ModelBytes::data() {
  LLMTOOL_ASSERT(!file_);
  return memory_.data();
}

}  // namespace llmtool
