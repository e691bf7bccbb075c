// Size and time of a file when it was opened, to tell later whether it was written to since.
#pragma once

#include <cstdint>
#include <sys/stat.h>

namespace llmtool {

class FileStamp {
 public:
  explicit FileStamp(int fd) { is_regular_ = ::fstat(fd, &info_) == 0 && S_ISREG(info_.st_mode); }

  bool is_regular() const { return is_regular_; }
  // 0 of what is no regular file.
  uint64_t size() const { return is_regular_ ? static_cast<uint64_t>(info_.st_size) : 0; }
  // Never of what is no regular file. A file that another one was moved over is the old one to fd,
  // and the new one to whoever reads `path` later.
  bool changed(int fd, const char* path) const {
    struct stat now {};
    if (!is_regular_) return false;
    if (::stat(path, &now) == 0 && (now.st_ino != info_.st_ino || now.st_dev != info_.st_dev)) {
      return true;
    }
    return ::fstat(fd, &now) == 0 &&
           (now.st_size != info_.st_size || now.st_mtim.tv_sec != info_.st_mtim.tv_sec ||
            now.st_mtim.tv_nsec != info_.st_mtim.tv_nsec);
  }

 private:
  struct stat info_ {};
  bool is_regular_ = false;
};

}  // namespace llmtool
