// A file that is read and written at given places, by several threads at a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "lib/base/file.h"

namespace llmtool {

class PositionedFile {
 public:
  // An existing file, to be read.
  static PositionedFile open(const fs::path& path);
  // A new file without a name: it is gone when it is closed, also if the process is killed.
  static PositionedFile temporary(const fs::path& folder);

  PositionedFile(PositionedFile&& other) noexcept;
  PositionedFile& operator=(PositionedFile&& other) noexcept;
  ~PositionedFile();

  // All `size` bytes; Fault::kIo also where the file ends before.
  void read(uint64_t offset, void* data, size_t size) const;
  void write(uint64_t offset, const void* data, size_t size);
  uint64_t size() const;
  const fs::path& path() const { return path_; }  // of the folder for a temporary file

 private:
  PositionedFile(int fd, fs::path path) : fd_(fd), path_(std::move(path)) {}

  int fd_ = -1;
  fs::path path_;
};

}  // namespace llmtool
