// Work in a child process: for libraries that may abort, exit or grow without bound.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace llmtool {

struct ChildResult {
  bool ok = false;        // work returned; else the process died
  std::string output;     // what work returned
  std::string death;      // "exit code 255", "signal 9 (Killed)"
  std::string last_line;  // of its stderr
};

// Forks, runs work in the child, and gives back what it returned. The child's stderr goes to
// on_line, line by line. The child dies with its parent. Ctrl-C and SIGTERM end the child and throw
// Fault::kInterrupted. Call it while no other thread runs, or work must not need their locks.
ChildResult run_in_child(const std::function<std::string()>& work,
                         const std::function<void(std::string_view)>& on_line);

}  // namespace llmtool
