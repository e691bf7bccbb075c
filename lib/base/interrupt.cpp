#include "lib/base/interrupt.h"

#include <csignal>
#include <string_view>
#include <unistd.h>

#include "lib/base/error.h"

namespace llmtool {
namespace {

volatile std::sig_atomic_t asked = 0;

void on_signal(int signal) {
  if (asked != 0) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
    return;
  }
  asked = 1;
  constexpr std::string_view kMessage =
      "\nllmtool: stopping at the next safe point (again: stop at once)\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kMessage.data(), kMessage.size());
}

}  // namespace

// No SA_RESTART: a read that waits for a terminal or a pipe has to return.
void handle_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() {
  return asked != 0;
}

void check_interrupted() {
  check(!interrupted(), Fault::kInterrupted, "interrupted");
}

}  // namespace llmtool
