#include <csignal>
#include <cstdio>
#include <exception>
#include <fcntl.h>
#include <filesystem>
#include <new>
#include <string>
#include <vector>

#include "cmd/command_line.h"
#include "lib/base/error.h"
#include "lib/base/terminal.h"

namespace {

using llmtool::Fault;

int report(Fault fault, const std::string& message, const std::string& hint) {
  if (fault != Fault::kBrokenPipe) {
    llmtool::print_line("llmtool: error: " + message);
    if (!hint.empty()) llmtool::print_line("llmtool: hint: " + hint);
  }
  return static_cast<int>(fault);
}

int run(const std::vector<std::string>& arguments) {
  try {
    llmtool::run_command_line(arguments);
    return 0;
  } catch (const llmtool::Error& e) {
    return report(e.fault(), e.what(), e.hint());
  } catch (const std::bad_alloc&) {
    return report(Fault::kFailed, "out of memory",
                  "smaller batches, a shorter context or fewer threads need less");
  } catch (const std::filesystem::filesystem_error& e) {
    return report(Fault::kIo, "cannot use " + e.path1().string() + ": " + e.code().message(), {});
  } catch (const std::exception& e) {
    return report(Fault::kFailed, e.what(), "this is likely a bug of llmtool; please report it");
  }
}

// Where a daemon starts a program with standard streams closed, the first files that it opens would
// be them.
void open_standard_streams() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0) ::open("/dev/null", O_RDWR);  // takes the lowest that is free
  }
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_streams();
  std::signal(SIGPIPE, SIG_IGN);  // a write to a closed pipe fails with EPIPE instead
  std::signal(SIGXFSZ, SIG_IGN);  // a write past `ulimit -f` with EFBIG
  return run({argv + (argc > 0 ? 1 : 0), argv + argc});
}
