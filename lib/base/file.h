// Files: whole reads, memory maps, and writes that leave either the old file or the whole new one.
// Every failure is Fault::kIo with the path and the system's reason; a missing input is too.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace llmtool {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path);

// Writes beside and renames (see AtomicFile).
void write_file(const fs::path& path, std::string_view bytes);

// Creates the folder and its parents; says which part of the path is in the way.
void create_folder(const fs::path& path);

// A read-only memory map of a whole file. An empty file maps to an empty span.
class MappedFile {
 public:
  explicit MappedFile(const fs::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return bytes_; }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
  std::span<const std::byte> bytes_;
};

// A file that appears under its name only with commit(): written to `<path>.tmp.<pid>` in the same
// folder, flushed to the disk, renamed. Without commit() the destructor removes the temporary file.
class AtomicFile {
 public:
  explicit AtomicFile(fs::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, size_t size);  // throws on a full disk
  void write(std::string_view bytes) { write(bytes.data(), bytes.size()); }
  // Overwrites bytes that were already written, e.g. a header.
  void write_at(size_t offset, const void* data, size_t size);
  size_t size() const { return size_; }
  void commit();

 private:
  void flush();

  fs::path path_, temporary_;
  int fd_ = -1;
  size_t size_ = 0;
  std::string buffer_;
};

// XXH3, 128 bits, as 32 hexadecimal digits: the checksum of run manifests.
std::string checksum(std::span<const std::byte> bytes);
std::string checksum_file(const fs::path& path);

}  // namespace llmtool
