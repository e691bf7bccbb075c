#include "lib/corpus/growing_file.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "lib/base/error.h"

namespace llmtool {
namespace {

constexpr size_t kLogBuffer = size_t{1} << 16;

// alone: nobody else writes there as long as it is open.
int open_at(const fs::path& path, uint64_t size, bool alone = false) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) fail_io("open", path, errno);
  if (alone && ::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(fd);
    fail(Fault::kUsage, concat("'", path.string(), "' is being written by another process"),
         "give each run an output and a folder for --rejected of its own");
  }
  struct stat info {};
  if (::fstat(fd, &info) != 0) fail_io("read", path, errno);
  if (static_cast<uint64_t>(info.st_size) < size) {
    ::close(fd);
    fail(Fault::kInput,
         concat("'", path.string(), "' has ", info.st_size, " bytes, expected at least ", size),
         "it was changed since the run stopped: start it anew with --overwrite");
  }
  if (::ftruncate(fd, static_cast<off_t>(size)) != 0) fail_io("truncate", path, errno);
  if (::lseek(fd, static_cast<off_t>(size), SEEK_SET) < 0) fail_io("seek in", path, errno);
  return fd;
}

std::string gzipped(std::string_view bytes) {
  constexpr int kLevel = 6, kGzip = 16, kMemory = 8;
  z_stream z{};
  if (deflateInit2(&z, kLevel, Z_DEFLATED, MAX_WBITS + kGzip, kMemory, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    throw std::bad_alloc();
  }
  std::string out(deflateBound(&z, bytes.size()), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  LLMTOOL_ASSERT(deflate(&z, Z_FINISH) == Z_STREAM_END);
  out.resize(out.size() - z.avail_out);
  deflateEnd(&z);
  return out;
}

std::string zstandard(std::string_view bytes) {
  constexpr int kLevel = 3;
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const size_t size = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), kLevel);
  if (ZSTD_isError(size)) throw std::bad_alloc();
  out.resize(size);
  return out;
}

}  // namespace

bool GrowingFile::is_file(const fs::path& path) {
  std::error_code error;
  const auto status = fs::status(path, error);
  return path != "-" && (!fs::exists(status) || fs::is_regular_file(status));
}

GrowingFile::GrowingFile(fs::path path, uint64_t size, bool may_be_finished)
    : path_(std::move(path)), is_file_(is_file(path_)), size_(size) {
  if (path_ == "-") {
    fd_ = STDOUT_FILENO;
  } else if (is_file_) {
    partial_ = path_;
    partial_ += ".partial";
    if (path_.has_parent_path()) create_folder(path_.parent_path());
    finished_ = may_be_finished && !fs::exists(partial_) && fs::exists(path_) &&
                fs::file_size(path_) == size;
    if (!finished_) fd_ = open_at(partial_, size, true);
  } else {
    fd_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd_ < 0) fail_io("open", path_, errno);
  }
}

GrowingFile::~GrowingFile() {
  if (fd_ > STDOUT_FILENO) ::close(fd_);
}

void GrowingFile::append(std::string_view bytes) {
  LLMTOOL_ASSERT(!finished_);
  if (path_ == "-")
    write_stdout(bytes);
  else
    write_all(fd_, bytes, path_);
  size_ += bytes.size();
}

void GrowingFile::flush() {
  if (is_file_ && !finished_ && ::fdatasync(fd_) != 0) fail_io("write", path_, errno);
}

void GrowingFile::finish() {
  if (!is_file_ || finished_) return;
  flush();
  finished_ = true;
  if (::rename(partial_.c_str(), path_.c_str()) != 0) fail_io("rename to", path_, errno);
}

void GrowingFile::discard() {
  if (!is_file_ || finished_) return;
  finished_ = true;
  std::error_code ignored;
  fs::remove(partial_, ignored);
  fs::remove(path_, ignored);  // of an earlier run that this one replaces
}

LogFile::LogFile(fs::path path, uint64_t size)
    : path_(std::move(path)), fd_(open_at(path_, size)), size_(size) {}

LogFile::~LogFile() {
  ::close(fd_);
}

void LogFile::append(const void* data, size_t size) {
  const std::lock_guard lock(mutex_);
  buffer_.append(static_cast<const char*>(data), size);
  size_ += size;
  if (buffer_.size() >= kLogBuffer) write_buffer();
}

void LogFile::write_buffer() {
  write_all(fd_, buffer_, path_);
  buffer_.clear();
}

void LogFile::flush() {
  const std::lock_guard lock(mutex_);
  write_buffer();
}

void LogFile::sync() {
  flush();
  if (::fdatasync(fd_) != 0) fail_io("write", path_, errno);
}

Packing packing_of(const fs::path& path) {
  if (path.extension() == ".gz") return Packing::kGzip;
  return path.extension() == ".zst" ? Packing::kZstd : Packing::kPlain;
}

std::string packed(std::string_view bytes, Packing packing, bool even_if_empty) {
  if ((bytes.empty() && !even_if_empty) || packing == Packing::kPlain) return std::string(bytes);
  return packing == Packing::kGzip ? gzipped(bytes) : zstandard(bytes);
}

}  // namespace llmtool
