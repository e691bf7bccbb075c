// Temporary files without names that are written from front to back, then read so.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "lib/base/error.h"
#include "lib/base/interrupt.h"
#include "lib/base/positioned_file.h"

namespace llmtool {

class SpoolFile {
 public:
  static constexpr size_t kBufferBytes = size_t{1} << 20;

  explicit SpoolFile(const fs::path& folder) : file_(PositionedFile::temporary(folder)) {
    buffer_.reserve(kBufferBytes);
  }

  void append(const void* data, size_t size) {
    if (buffer_.size() + size > kBufferBytes) flush();
    if (size >= kBufferBytes) {
      file_.write(written_, data, size);
      written_ += size;
    } else {
      buffer_.append(static_cast<const char*>(data), size);
    }
  }
  void flush() {
    file_.write(written_, buffer_.data(), buffer_.size());
    written_ += buffer_.size();
    buffer_.clear();
  }
  uint64_t size() const { return written_ + buffer_.size(); }
  const PositionedFile& file() const { return file_; }

 private:
  PositionedFile file_;
  uint64_t written_ = 0;
  std::string buffer_;
};

class SpoolReader {
 public:
  // flush() was called.
  explicit SpoolReader(const SpoolFile& spool) : file_(spool.file()), size_(spool.size()) {}

  bool at_end() const { return begin_ == buffer_.size() && next_ == size_; }
  // Valid until the next call.
  std::string_view take(size_t size) {
    if (buffer_.size() - begin_ < size) fill(size);
    begin_ += size;
    return std::string_view(buffer_).substr(begin_ - size, size);
  }

 private:
  void fill(size_t wanted) {
    check_interrupted();
    buffer_.erase(0, begin_);
    begin_ = 0;
    const size_t have = buffer_.size();
    const size_t more =
        std::min<uint64_t>(std::max(wanted - have, SpoolFile::kBufferBytes), size_ - next_);
    buffer_.resize(have + more);
    file_.read(next_, &buffer_[have], more);
    next_ += more;
    LLMTOOL_ASSERT(buffer_.size() >= wanted);
  }

  const PositionedFile& file_;
  uint64_t size_, next_ = 0;
  std::string buffer_;
  size_t begin_ = 0;
};

}  // namespace llmtool
