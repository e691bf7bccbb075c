#include "lib/base/child_process.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/base/interrupt.h"

namespace llmtool {
namespace {

constexpr int kPollMilliseconds = 100;
constexpr int kDone = 0, kThrew = 1, kExited = 2;

struct Pipe {
  Pipe() {
    int ends[2];
    check(pipe2(ends, O_CLOEXEC) == 0, Fault::kIo, "cannot make a pipe: ", std::strerror(errno));
    read_end = ends[0];
    write_end = ends[1];
  }
  ~Pipe() {
    close(read_end);
    close_write_end();
  }
  void close_write_end() {
    if (write_end >= 0) close(write_end);
    write_end = -1;
  }
  int read_end, write_end;
};

bool write_whole(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

[[noreturn]] void run_child(const std::function<std::string()>& work, pid_t parent, int result,
                            int log) {
  for (const int number : {SIGINT, SIGTERM, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    signal(number, SIG_DFL);
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(kExited);
  dup2(log, STDERR_FILENO);
  dup2(log, STDOUT_FILENO);  // what the parent has buffered must not come out a second time
  // A library that calls exit() must not run what the parent has registered for its own end.
  std::atexit([] { _exit(kExited); });
  int code = kThrew;
  try {
    code = write_whole(result, work()) ? kDone : kThrew;
  } catch (const std::exception& e) {
    write_whole(STDERR_FILENO, e.what());
  }
  _exit(code);
}

std::string describe_death(int status) {
  if (WIFSIGNALED(status)) {
    return concat("signal ", WTERMSIG(status), " (", strsignal(WTERMSIG(status)), ")");
  }
  return concat("exit code ", WEXITSTATUS(status));
}

class Child {
 public:
  Child(const std::function<std::string()>& work,
        const std::function<void(std::string_view)>& on_line)
      : on_line_(on_line) {
    const pid_t parent = getpid();
    std::fflush(nullptr);  // or an exit of the child could write it a second time
    pid_ = fork();
    check(pid_ >= 0, Fault::kIo, "cannot start a process: ", std::strerror(errno));
    if (pid_ == 0) run_child(work, parent, result_.write_end, log_.write_end);
    result_.close_write_end();
    log_.close_write_end();
  }
  ~Child() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  ChildResult wait() {
    pollfd files[] = {{result_.read_end, POLLIN, 0}, {log_.read_end, POLLIN, 0}};
    while (files[0].fd >= 0 || files[1].fd >= 0) {
      check_interrupted();
      if (poll(files, 2, kPollMilliseconds) < 0 && errno != EINTR) break;
      if (files[0].revents != 0 && !read_some(files[0].fd, answer_.output)) files[0].fd = -1;
      if (files[1].revents != 0 && !read_some(files[1].fd, lines_)) files[1].fd = -1;
      files[0].revents = files[1].revents = 0;
      hand_out_lines(files[1].fd < 0);
    }
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) check_interrupted();
    pid_ = -1;
    answer_.ok = WIFEXITED(status) && WEXITSTATUS(status) == kDone;
    if (!answer_.ok) answer_.death = describe_death(status);
    return std::move(answer_);
  }

 private:
  static bool read_some(int fd, std::string& to) {
    char buffer[1 << 16];
    const ssize_t n = read(fd, buffer, sizeof buffer);
    if (n > 0) to.append(buffer, static_cast<size_t>(n));
    return n > 0 || (n < 0 && errno == EINTR);
  }

  void hand_out_lines(bool at_end) {
    size_t begin = 0;
    for (size_t end = lines_.find('\n'); end != lines_.npos; end = lines_.find('\n', begin)) {
      line(std::string_view(lines_).substr(begin, end - begin));
      begin = end + 1;
    }
    lines_.erase(0, begin);
    if (at_end && !lines_.empty()) line(lines_);
    if (at_end) lines_.clear();
  }

  void line(std::string_view text) {
    if (text.empty()) return;
    answer_.last_line = text;
    if (on_line_) on_line_(text);
  }

  const std::function<void(std::string_view)>& on_line_;
  Pipe result_, log_;
  pid_t pid_ = -1;
  ChildResult answer_;
  std::string lines_;
};

}  // namespace

ChildResult run_in_child(const std::function<std::string()>& work,
                         const std::function<void(std::string_view)>& on_line) {
  return Child(work, on_line).wait();
}

}  // namespace llmtool
