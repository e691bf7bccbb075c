#include "lib/base/run_lock.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/base/interrupt.h"
#include "lib/base/log.h"

namespace llmtool {
namespace {

// Who holds the lock, as it wrote into the file; empty if it has not yet.
std::string holder(int fd) {
  char text[64];
  const ssize_t n = ::pread(fd, text, sizeof text, 0);
  std::string_view who(text, n > 0 ? static_cast<size_t>(n) : 0);
  return std::string(who.substr(0, who.find('\n')));
}

}  // namespace

RunLock::RunLock(const fs::path& folder, const std::string& name, bool waits)
    : path_(folder / name) {
  while (!take(waits)) check_interrupted();
}

bool RunLock::take(bool waits) {
  fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd_ < 0) fail_io("write", path_, errno);
  if (::flock(fd_, LOCK_EX | (waits ? 0 : LOCK_NB)) != 0) {
    const int reason = errno;
    const std::string who = holder(fd_);
    ::close(fd_);
    fd_ = -1;
    if (reason != EWOULDBLOCK && reason != EINTR) {
      log_warning(concat(path_.string(),
                         ": this file system has no locks: nothing keeps a second "
                         "process out of the folder"));
      return true;
    }
    if (reason == EINTR) return false;
    fail(Fault::kUsage,
         concat(path_.parent_path().string(), ": another process",
                who.empty() ? "" : concat(" (", who, ")"), " is writing into this folder"),
         "wait for it or stop it, or give another --output");
  }
  struct stat ours {
  }, there{};
  if (::fstat(fd_, &ours) != 0 || ::stat(path_.c_str(), &there) != 0 ||
      ours.st_ino != there.st_ino || ours.st_dev != there.st_dev) {
    ::close(fd_);
    fd_ = -1;
    return false;
  }
  const std::string who = concat("process ", static_cast<long>(::getpid()), "\n");
  // For the message alone: the lock holds without it, on a full disk too.
  [[maybe_unused]] const int cut = ::ftruncate(fd_, 0);
  [[maybe_unused]] const ssize_t written = ::pwrite(fd_, who.data(), who.size(), 0);
  return true;
}

RunLock::~RunLock() {
  if (fd_ < 0) return;
  ::unlink(path_.c_str());
  ::close(fd_);
}

}  // namespace llmtool
