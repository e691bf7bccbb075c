// Errors that a file, a flag, a user or a machine can cause. They carry what happened, where, what
// was expected, and a hint on what to do; main() prints them and turns the fault into the exit
// code. A broken promise of our own code is an assertion (LLMTOOL_ASSERT), never an Error.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

namespace llmtool {

// The values are the exit codes of the program.
enum class Fault : int {
  kFailed = 1,         // the work was done and its result is a failure
  kUsage = 2,          // flags, configuration
  kInput = 3,          // the content of a file or of a stream
  kIo = 4,             // the file system, the network
  kDevice = 5,         // CPU features, GPU, driver
  kInterrupted = 130,  // Ctrl-C or SIGTERM, after state was saved
  kBrokenPipe = 141,   // the reader of our output went away; nothing is printed
};

class Error : public std::exception {
 public:
  Error(Fault fault, std::string message, std::string hint = {})
      : fault_(fault), message_(std::move(message)), hint_(std::move(hint)) {}

  const char* what() const noexcept override { return message_.c_str(); }
  Fault fault() const noexcept { return fault_; }
  // What to do about it; empty if the message says it all.
  const std::string& hint() const noexcept { return hint_; }

 private:
  Fault fault_;
  std::string message_;
  std::string hint_;
};

namespace detail {
void append(std::string& s, std::string_view v);
void append(std::string& s, const char* v);
void append(std::string& s, char v);
void append(std::string& s, bool v);
void append(std::string& s, double v);
void append(std::string& s, long long v);
void append(std::string& s, unsigned long long v);
inline void append(std::string& s, const std::string& v) {
  append(s, std::string_view(v));
}
inline void append(std::string& s, int v) {
  append(s, static_cast<long long>(v));
}
inline void append(std::string& s, long v) {
  append(s, static_cast<long long>(v));
}
inline void append(std::string& s, unsigned v) {
  append(s, static_cast<unsigned long long>(v));
}
inline void append(std::string& s, unsigned long v) {
  append(s, static_cast<unsigned long long>(v));
}
inline void append(std::string& s, float v) {
  append(s, static_cast<double>(v));
}
}  // namespace detail

// The parts one after another; numbers in their shortest exact form.
template <class... P>
std::string concat(const P&... parts) {
  std::string s;
  (detail::append(s, parts), ...);
  return s;
}

[[noreturn]] void fail(Fault fault, std::string message, std::string hint = {});

// Throws Error(fault, parts...) unless ok. The parts are only put together on failure.
template <class... P>
void check(bool ok, Fault fault, const P&... parts) {
  if (!ok) [[unlikely]] {
    fail(fault, concat(parts...));
  }
}

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace llmtool

// A promise of our own code; checked in every build.
#define LLMTOOL_ASSERT(condition) \
  ((condition) ? void(0) : ::llmtool::assertion_failed(#condition, __FILE__, __LINE__))
