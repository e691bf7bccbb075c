// Where the time of a piece of work goes, by operation. Set Stream::profile, run, read entries().
//
// An operation that another one calls is an entry below it (`parent`), and its time is part of the
// parent's: the entries without a parent add up to the time inside operations. One that calls
// itself (a level that leaves some dtypes to the one below) is one call. Calls of the same
// operation, unit and parent are one entry. Time is from call to return: on a CUDA stream, where
// calls only queue, it says nothing. For one thread at a time, which is the one that works with the
// stream; operations that a kernel calls from its own parallel loop would need a stream without it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "lib/base/cost.h"

namespace llmtool {

class Profile {
 public:
  struct Entry {
    std::string_view name;  // of the operation: lives as long as the program
    int parent = -1;        // index of the entry that called it
    int64_t calls = 0;
    double seconds = 0;
    Cost cost;  // sums over the calls
  };

  // In order of first call: parents come before their children.
  const std::vector<Entry>& entries() const { return entries_; }
  // Seconds of the entries without a parent.
  double seconds() const;
  void clear() { entries_.clear(); }

  // One call of an operation, from construction to destruction.
  class Scope {
   public:
    Scope(Profile& profile, std::string_view name, const Cost& cost);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Profile* profile_;
    int entry_, outer_;  // entry_ < 0: a part of the call that is open
    std::chrono::steady_clock::time_point start_;
  };

 private:
  int entry_of(std::string_view name, DType unit);

  std::vector<Entry> entries_;
  int open_ = -1;  // the innermost entry under way
};

}  // namespace llmtool
