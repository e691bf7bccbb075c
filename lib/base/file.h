// Files: whole reads, memory maps, and writes that leave either the old file or the whole new one.
// Every failure is Fault::kIo with the path and the system's reason; a missing input is too.
#pragma once

#include <cstddef>
#include <cstdint>
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

// Puts the folder `made` under the name `folder`, on the same file system. One that is there is
// exchanged in one step (renameat2) and removed after: at no moment is there none, nor a mixture.
// Where the file system cannot exchange, or not may_exchange, two renames do it, the second undone
// by a failure. Until it is removed, the old one lies under the name of `made`, or of that with
// ".old" behind it.
void replace_folder(const fs::path& made, const fs::path& folder, bool may_exchange = true);

// Throws the Error for a failed system call: "cannot <action> <path>: <reason of error_number>",
// with a hint where one helps. A broken pipe is Fault::kBrokenPipe.
[[noreturn]] void fail_io(std::string_view action, const fs::path& path, int error_number);

// Writes all of it to a file descriptor; path is for the message.
void write_all(int fd, std::string_view bytes, const fs::path& path);

// To standard output, unbuffered. A reader that went away (`| head`) is Fault::kBrokenPipe.
void write_stdout(std::string_view bytes);

// A file opened for reading that is not a folder. Returns the descriptor, which the caller closes.
int open_for_reading(const fs::path& path);

// A read-only memory map of a whole file. An empty file maps to an empty span. A file that shrinks
// while it is mapped ends the process with SIGBUS.
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
// A symbolic link stays and its target is replaced. A path that is a device, a pipe or a socket
// (/dev/null, /dev/stdout, a process substitution) is written directly.
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
  void open_temporary();
  void flush();

  fs::path path_;       // as given, for messages
  fs::path target_;     // with symbolic links followed
  fs::path temporary_;  // empty: the target is written directly
  int fd_ = -1;
  size_t size_ = 0;
  std::string buffer_;
};

// XXH3, 128 bits, as 32 hexadecimal digits: the checksum of run manifests (as `xxh128sum` prints).
std::string checksum(std::span<const std::byte> bytes);
std::string checksum_file(const fs::path& path);

}  // namespace llmtool
