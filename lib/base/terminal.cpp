#include "lib/base/terminal.h"

#include <cerrno>
#include <string>
#include <sys/ioctl.h>
#include <unistd.h>

namespace llmtool {
namespace {

bool line_stands = false;

// Standard error has nowhere to report its own failure to.
void write_stderr(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(STDERR_FILENO, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

}  // namespace

bool stderr_is_terminal() {
  static const bool is_terminal = ::isatty(STDERR_FILENO) == 1;
  return is_terminal;
}

std::recursive_mutex& terminal_mutex() {
  static std::recursive_mutex mutex;
  return mutex;
}

void draw_line(std::string_view line) {
  write_stderr("\r" + std::string(line) + "\x1b[K");
  line_stands = true;
}

void clear_line() {
  if (line_stands) write_stderr("\r\x1b[K");
  line_stands = false;
}

void print_line(std::string_view line) {
  clear_line();
  write_stderr(std::string(line) + "\n");
}

int terminal_width() {
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

}  // namespace llmtool
