#include "lib/base/positioned_file.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "lib/base/error.h"

namespace llmtool {
namespace {

constexpr size_t kMostAtOnce = size_t{1} << 30;

// Where the file system has no files without a name.
int open_and_unlink(const fs::path& folder) {
  std::string name = (folder / ("temporary." + std::string(6, 'X'))).string();
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) fail_io("create a temporary file in", folder, errno);
  ::unlink(name.c_str());
  return fd;
}

}  // namespace

PositionedFile PositionedFile::open(const fs::path& path) {
  return {open_for_reading(path), path};
}

PositionedFile PositionedFile::temporary(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  return {fd >= 0 ? fd : open_and_unlink(folder), folder};
}

PositionedFile::PositionedFile(PositionedFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

PositionedFile& PositionedFile::operator=(PositionedFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  return *this;
}

PositionedFile::~PositionedFile() {
  if (fd_ >= 0) ::close(fd_);
}

void PositionedFile::read(uint64_t offset, void* data, size_t size) const {
  char* at = static_cast<char*>(data);
  while (size > 0) {
    const ssize_t n = ::pread(fd_, at, std::min(size, kMostAtOnce), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_io("read", path_, errno);
    check(n > 0, Fault::kIo, "cannot read ", path_.string(), ": it ends at byte ", offset,
          ", expected ", size, " bytes more");
    at += n;
    offset += static_cast<uint64_t>(n);
    size -= static_cast<size_t>(n);
  }
}

void PositionedFile::write(uint64_t offset, const void* data, size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = ::pwrite(fd_, at, std::min(size, kMostAtOnce), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_io("write", path_, errno);
    at += n;
    offset += static_cast<uint64_t>(n);
    size -= static_cast<size_t>(n);
  }
}

uint64_t PositionedFile::size() const {
  struct stat info {};
  if (::fstat(fd_, &info) != 0) fail_io("read", path_, errno);
  return static_cast<uint64_t>(info.st_size);
}

}  // namespace llmtool
