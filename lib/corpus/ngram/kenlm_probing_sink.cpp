#include "lib/corpus/ngram/kenlm_probing_sink.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/error.h"

namespace llmtool {
namespace {

int create_beside(const fs::path& path, fs::path& temporary) {
  const std::string stem = concat(path.string(), ".tmp.", static_cast<long long>(::getpid()));
  for (int attempt = 0;; ++attempt) {
    temporary = attempt == 0 ? stem : concat(stem, ".", attempt);
    const int fd = ::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0) return fd;
    if (errno != EEXIST) fail_io("write", path, errno);
  }
}

}  // namespace

MappedOutput::MappedOutput(fs::path path, uint64_t size) : path_(std::move(path)), size_(size) {
  check(!fs::exists(path_) || fs::is_regular_file(path_), Fault::kUsage, "'", path_.string(),
        "' is no regular file, which a model that is written in any order needs");
  if (fs::is_symlink(path_)) path_ = fs::canonical(path_);
  fd_ = create_beside(path_, temporary_);
  // A full disk is known now, not when a page is written.
  const int error = ::posix_fallocate(fd_, 0, static_cast<off_t>(size_));
  if (error != 0) {
    remove();
    fail_io("write", path_, error);
  }
  void* map = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
  if (map == MAP_FAILED) {
    const int error_number = errno;
    remove();
    fail_io("map", path_, error_number);
  }
  data_ = static_cast<std::byte*>(map);
}

MappedOutput::~MappedOutput() {
  if (fd_ >= 0) remove();
}

void MappedOutput::remove() {
  if (data_ != nullptr) ::munmap(data_, size_);
  ::close(fd_);
  ::unlink(temporary_.c_str());
  data_ = nullptr;
  fd_ = -1;
}

void MappedOutput::commit() {
  LLMTOOL_ASSERT(fd_ >= 0);
  if (::msync(data_, size_, MS_SYNC) != 0 || ::fsync(fd_) != 0) fail_io("write", path_, errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail_io("write", path_, errno);
  ::munmap(data_, size_);
  ::close(fd_);
  data_ = nullptr;
  fd_ = -1;
}

KenlmProbingSink::KenlmProbingSink(fs::path path, KenlmProbingOptions options)
    : path_(std::move(path)), options_(options) {
  check(options_.multiplier > 1 && options_.multiplier <= 100, Fault::kUsage, "--multiplier ",
        options_.multiplier, ": expected more than 1 and at most 100");
}

KenlmProbingSink::~KenlmProbingSink() = default;

void KenlmProbingSink::begin(const std::vector<std::string>& words,
                             const std::vector<uint64_t>& counts) {
  check(counts.size() >= 2, Fault::kUsage, "'", path_.string(),
        "': KenLM has no binaries of order 1; write an ARPA file");
  check(counts.size() <= static_cast<size_t>(kMaxNgramOrder), Fault::kUsage, "order ",
        counts.size(), ": expected at most ", kMaxNgramOrder);
  const KenlmHeader header{.probing_multiplier = options_.multiplier, .counts = counts};
  const uint64_t end = ProbingLayout(header).end;
  uint64_t word_bytes = 0;
  for (const std::string& word : words) word_bytes += word.size() + 1;
  file_ = std::make_unique<MappedOutput>(path_, end + word_bytes);
  builder_.emplace(file_->data(), header, path_.string());
  builder_->set_words(words);
  std::byte* at = file_->data() + end;
  for (const std::string& word : words) {
    std::memcpy(at, word.data(), word.size());
    at += word.size() + 1;
  }
}

void KenlmProbingSink::end() {
  builder_->finish();
  file_->commit();
}

}  // namespace llmtool
