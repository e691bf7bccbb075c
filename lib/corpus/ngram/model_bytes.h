// The bytes of a model in memory, at an address that is a multiple of 8.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "lib/base/file.h"
#include "lib/base/huge_memory.h"
#include "lib/corpus/ngram/model.h"

namespace llmtool {

class ModelBytes {
 public:
  explicit ModelBytes(size_t size);  // zeros, in huge pages where the system has them
  ModelBytes(const fs::path& path, ModelLoading loading);
  ModelBytes(const ModelBytes&) = delete;
  ModelBytes& operator=(const ModelBytes&) = delete;

  std::span<const std::byte> bytes() const { return bytes_; }
  std::byte* data();  // of those made from a size

 private:
  void allocate(size_t size);

  std::optional<MappedFile> file_;
  HugeMemory memory_;
  std::span<const std::byte> bytes_;
};

}  // namespace llmtool
