// The 64-bit hashes in a log of a step, in the order in which they were appended: from them a run
// that goes on builds again what it had in memory.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "lib/base/positioned_file.h"
#include "lib/corpus/step.h"

namespace llmtool {

// To read what was appended so far.
inline PositionedFile open_flushed(AppendLog& log) {
  log.flush();
  return PositionedFile::open(log.path());
}

// How many there are.
inline uint64_t logged_hashes(const AppendLog& log) {
  return log.size() / sizeof(uint64_t);
}

// Calls f(std::span<const uint64_t>), piece by piece.
template <class F>
void for_each_logged(AppendLog& log, F&& f) {
  constexpr uint64_t kPiece = 8192;
  const uint64_t count = logged_hashes(log);
  if (count == 0) return;
  const PositionedFile file = open_flushed(log);
  std::vector<uint64_t> hashes(std::min(kPiece, count));
  for (uint64_t at = 0; at < count; at += hashes.size()) {
    hashes.resize(std::min(kPiece, count - at));
    file.read(at * sizeof(uint64_t), hashes.data(), hashes.size() * sizeof(uint64_t));
    f(std::span<const uint64_t>(hashes));
  }
}

}  // namespace llmtool
