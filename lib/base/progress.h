// What a long command shows on stderr: on a terminal one line that is redrawn (bar, rate, ETA), in
// a log a plain line every 10 s, nothing below LogLevel::kInfo (--quiet). Safe to advance from
// several threads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace llmtool {

class Progress {
 public:
  // total 0: unknown, no bar and no ETA. unit: what is counted, e.g. "tokens", or "B" for bytes
  // (shown with prefixes in both cases). start: what a resumed run had done before; it does not
  // count for the rate.
  Progress(std::string_view label, uint64_t total, std::string_view unit, uint64_t start = 0);
  ~Progress();

  void advance(uint64_t n);
  void set(uint64_t n);
  // Text behind the figures, e.g. the loss.
  void set_note(std::string note);
  // Clears the line; the destructor does too.
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// "1.53 MB", "12.4k", "3 min 20 s". Decimal prefixes, three digits.
std::string human_bytes(double bytes);
std::string human_count(double n);
std::string human_seconds(double s);

}  // namespace llmtool
