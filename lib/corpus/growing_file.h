// Files that a run appends to and that a later run can go on with from any length it remembers.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "lib/base/file.h"
#include "lib/corpus/step.h"

namespace llmtool {

// Written as `<path>.partial` until finish() gives it its name. "-" is standard output, other
// paths that are no regular files (/dev/null, pipes) are written as they are; none of them can be
// gone on with.
class GrowingFile {
 public:
  // Goes on behind `size` bytes; what lies behind them is cut off. Fault::kInput if there are
  // fewer. may_be_finished: a run that stopped right at its end may have given it its name already.
  explicit GrowingFile(fs::path path, uint64_t size = 0, bool may_be_finished = false);
  ~GrowingFile();
  GrowingFile(const GrowingFile&) = delete;
  GrowingFile& operator=(const GrowingFile&) = delete;

  static bool is_file(const fs::path& path);

  void append(std::string_view bytes);
  uint64_t size() const { return size_; }
  void flush();  // to the disk
  void finish();
  void discard();  // instead of finish()

 private:
  fs::path path_, partial_;
  int fd_ = -1;
  bool is_file_ = true, finished_ = false;
  uint64_t size_ = 0;
};

// The logs of steps: plain files in the work folder, buffered. One thread appends; another may
// sync.
class LogFile final : public AppendLog {
 public:
  LogFile(fs::path path, uint64_t size);
  ~LogFile() override;
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  void append(const void* data, size_t size) override;
  uint64_t size() const override { return size_; }
  const fs::path& path() const override { return path_; }
  void flush() override;
  void sync();

 private:
  void write_buffer();

  fs::path path_;
  int fd_ = -1;
  uint64_t size_ = 0;
  std::mutex mutex_;
  std::string buffer_;
};

// How the bytes of an output are packed, by the ending of its name.
enum class Packing { kPlain, kGzip, kZstd };
Packing packing_of(const fs::path& path);

// One frame (zstd) or member (gzip) that stands for itself; a file of them one after another is a
// stream that every reader takes. Nothing for nothing, unless it is to be a file of its own.
std::string packed(std::string_view bytes, Packing packing, bool even_if_empty = false);

}  // namespace llmtool
