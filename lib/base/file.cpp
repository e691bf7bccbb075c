#include "lib/base/file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "lib/base/error.h"

namespace llmtool {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 20;

std::string reason(int error_number) {
  if (error_number == ENOENT) return "no such file or folder";
  if (error_number == EISDIR) return "it is a folder";
  if (error_number == ENOTDIR) return "a part of the path is a file, not a folder";
  std::string text = std::generic_category().message(error_number);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] += 'a' - 'A';
  return text;
}

std::string hint_for(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return "free some space or write to another file system; what was there before is unchanged";
    case EROFS:
    case EACCES:
    case EPERM:
      return "check the permissions of the file and of its folder, or choose another path";
    case EMFILE:
      return "too many files are open: raise the limit with `ulimit -n`";
    default:
      return {};
  }
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

// A rename is on the disk once its folder is; file systems that cannot do this say EINVAL.
void sync_folder(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

void fail_io(std::string_view action, const fs::path& path, int error_number) {
  const Fault fault = error_number == EPIPE ? Fault::kBrokenPipe : Fault::kIo;
  fail(fault, concat("cannot ", action, " ", path.string(), ": ", reason(error_number)),
       hint_for(error_number));
}

void write_all(int fd, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), std::min(bytes.size(), size_t{1} << 30));
    if (n < 0) {
      if (errno == EINTR) continue;
      fail_io("write", path, errno);
    }
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

void write_stdout(std::string_view bytes) {
  write_all(STDOUT_FILENO, bytes, "standard output");
}

int open_for_reading(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail_io("read", path, errno);
  struct stat info {};
  if (::fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) {
    ::close(fd);
    fail_io("read", path, EISDIR);
  }
  return fd;
}

std::string read_file(const fs::path& path) {
  const int fd = open_for_reading(path);
  std::string bytes;
  size_t size = 0;
  while (true) {
    if (bytes.size() - size < kBufferBytes / 2) bytes.resize(size + std::max(size, kBufferBytes));
    const ssize_t n = ::read(fd, bytes.data() + size, bytes.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int error_number = errno;
      ::close(fd);
      fail_io("read", path, error_number);
    }
    if (n == 0) break;
    size += static_cast<size_t>(n);
  }
  ::close(fd);
  bytes.resize(size);
  return bytes;
}

void write_file(const fs::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void create_folder(const fs::path& path) {
  fs::path part;
  for (const fs::path& name : path) {
    part /= name;
    std::error_code code;
    if (part.empty() || fs::is_directory(part, code)) continue;
    check(!fs::exists(part, code), Fault::kIo, "cannot create the folder ", path.string(), ": ",
          part.string(), " is a file");
    if (::mkdir(part.c_str(), 0777) != 0 && errno != EEXIST) {
      const int error_number = errno;
      fail_io("create the folder", part, error_number);
    }
  }
}

namespace {

void rename_path(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) fail_io("put in place", to, errno);
}

// False if the file system cannot do it.
bool exchanged(const fs::path& a, const fs::path& b) {
  if (::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0) return true;
  if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP) fail_io("put in place", b, errno);
  return false;
}

void remove_folder(const fs::path& folder) {
  std::error_code code;
  fs::remove_all(folder, code);
  if (code) fail_io("remove", folder, code.value());
}

}  // namespace

void replace_folder(const fs::path& made, const fs::path& folder, bool may_exchange) {
  sync_folder(made);
  std::error_code code;
  if (!fs::exists(folder, code)) {
    rename_path(made, folder);
    return sync_folder(folder_of(folder));
  }
  if (may_exchange && exchanged(made, folder)) {
    sync_folder(folder_of(folder));
    return remove_folder(made);
  }
  const fs::path old = made.string() + ".old";
  remove_folder(old);
  rename_path(folder, old);
  if (::rename(made.c_str(), folder.c_str()) != 0) {
    const int reason = errno;
    ::rename(old.c_str(), folder.c_str());
    fail_io("put in place", folder, reason);
  }
  sync_folder(folder_of(folder));
  remove_folder(old);
}

MappedFile::MappedFile(const fs::path& path) : path_(path) {
  const int fd = open_for_reading(path);
  struct stat info {};
  const int stat_result = ::fstat(fd, &info);
  const int stat_error = errno;
  if (stat_result != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    if (stat_result != 0) fail_io("read", path, stat_error);
    fail(Fault::kIo, concat("cannot map ", path.string(), ": it is not a regular file"));
  }
  const auto size = static_cast<size_t>(info.st_size);
  void* data = size == 0 ? nullptr : ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  const int map_error = errno;
  ::close(fd);
  if (data == MAP_FAILED) fail_io("map", path, map_error);
  bytes_ = {static_cast<const std::byte*>(data), size};
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

AtomicFile::AtomicFile(fs::path path) : path_(std::move(path)), target_(path_) {
  check(path_.has_filename(), Fault::kIo, "cannot write '", path_.string(),
        "': it does not name a file");
  std::error_code code;
  const fs::file_status status = fs::status(path_, code);
  if (status.type() == fs::file_type::directory) fail_io("write", path_, EISDIR);
  if (fs::exists(status) && status.type() != fs::file_type::regular) {
    fd_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd_ < 0) fail_io("write", path_, errno);
    return;
  }
  if (fs::exists(status) && fs::is_symlink(path_, code)) target_ = fs::canonical(path_);
  open_temporary();
}

// A killed process may have left a file of this name behind, and one process may write the same
// path twice at once: O_EXCL and the next number.
void AtomicFile::open_temporary() {
  const std::string stem = concat(target_.string(), ".tmp.", static_cast<long long>(::getpid()));
  for (int attempt = 0; fd_ < 0; ++attempt) {
    temporary_ = attempt == 0 ? stem : concat(stem, ".", attempt);
    fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd_ < 0 && errno != EEXIST) {
      const int error_number = errno;
      temporary_.clear();
      fail_io("write", path_, error_number);
    }
  }
}

AtomicFile::~AtomicFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::flush() {
  write_all(fd_, buffer_, path_);
  buffer_.clear();
}

void AtomicFile::write(const void* data, size_t size) {
  LLMTOOL_ASSERT(fd_ >= 0);
  const std::string_view bytes(static_cast<const char*>(data), size);
  size_ += size;
  if (buffer_.size() + size > kBufferBytes) flush();
  if (size >= kBufferBytes) {
    write_all(fd_, bytes, path_);
  } else {
    buffer_.append(bytes);
  }
}

void AtomicFile::write_at(size_t offset, const void* data, size_t size) {
  LLMTOOL_ASSERT(fd_ >= 0 && offset <= size_ && size <= size_ - offset);
  flush();
  const char* from = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = ::pwrite(fd_, from, size, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_io("write", path_, errno);
    from += n;
    offset += static_cast<size_t>(n);
    size -= static_cast<size_t>(n);
  }
}

void AtomicFile::commit() {
  LLMTOOL_ASSERT(fd_ >= 0);
  flush();
  if (temporary_.empty()) {
    const int fd = fd_;
    fd_ = -1;
    if (::close(fd) != 0) fail_io("write", path_, errno);
    return;
  }
  if (::fsync(fd_) != 0) fail_io("write", path_, errno);
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail_io("write", path_, errno);
  ::close(fd_);
  fd_ = -1;
  sync_folder(folder_of(target_));
}

}  // namespace llmtool
