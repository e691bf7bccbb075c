// The safetensors format: u64 header size, a JSON header {"name": {"dtype", "shape",
// "data_offsets"}, "__metadata__": {...}}, then the bytes. See huggingface/safetensors, README.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/dtype.h"
#include "lib/base/file.h"

namespace llmtool {

struct TensorInfo {
  DType dtype;
  std::vector<int64_t> shape;
  const std::byte* data = nullptr;  // inside the map
  int64_t bytes = 0;

  int64_t count() const;
  std::string shape_text() const;  // "[32000, 4096]"
};

// One file, memory-mapped. Everything the header claims is checked against the file before use
// (sizes, offsets, overlaps, dtypes): Fault::kInput naming the file and the tensor.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const fs::path& path);

  const std::map<std::string, TensorInfo>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const TensorInfo& at(const std::string& name) const;  // Fault::kInput if it is not there
  const fs::path& path() const { return map_.path(); }

 private:
  MappedFile map_;
  std::map<std::string, TensorInfo> tensors_;
  std::map<std::string, std::string> metadata_;
};

// A model folder: model.safetensors, or the files that model.safetensors.index.json names (only
// names of files in the folder itself).
class SafetensorsFolder {
 public:
  explicit SafetensorsFolder(const fs::path& folder);

  const TensorInfo* find(const std::string& name) const;  // nullptr if it is not there
  std::vector<std::string> names() const;
  // The file that holds the tensor, for messages.
  std::string file_of(const std::string& name) const;

 private:
  std::vector<std::unique_ptr<SafetensorsFile>> files_;
};

// f32, f16 or bf16 elements as f32; as bf16 (to nearest even).
void read_as_f32(const TensorInfo& t, float* out);
void read_as_bf16(const TensorInfo& t, bf16* out);

struct TensorToWrite {
  std::string name;
  DType dtype;
  std::vector<int64_t> shape;
  const void* data;  // contiguous, host memory
};

// Atomic. Tensors are laid out in the order given, the data 64-byte aligned in the file.
void write_safetensors(const fs::path& path, const std::vector<TensorToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace llmtool
