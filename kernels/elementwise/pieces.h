// Sharing out work on elements that do not depend on one another. For <op>_cpu.cpp files.
#pragma once

#include "lib/base/simd.h"
#include "lib/base/stream.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

inline constexpr int64_t kPieceElements = 16384;  // some microseconds of work

// f(row, begin, count) for all of (rows, cols), in pieces of one row, on all threads.
template <class F>
LLMTOOL_INLINE void for_pieces(int64_t rows, int64_t cols, const Stream& s, F&& f) {
  if (cols <= 0) return;
  const int64_t per_row = (cols + kPieceElements - 1) / kPieceElements;
  const int64_t grain = kPieceElements / cols + 1;
  s.parallel_for(rows * per_row, grain, [&](int64_t task, int64_t end, int) {
    for (; task < end; ++task) {
      const int64_t begin = task % per_row * kPieceElements;
      f(task / per_row, begin, cols - begin < kPieceElements ? cols - begin : kPieceElements);
    }
  });
}

// Rows to give a thread at a time.
LLMTOOL_INLINE int64_t row_grain(int64_t cols) {
  return kPieceElements / (cols > 0 ? cols : 1) + 1;
}

// Columns to give a thread at a time where each thread works through all rows of some columns.
LLMTOOL_INLINE int64_t column_grain(int64_t cols, const Stream& s) {
  const int64_t vectors = (cols + kLanes - 1) / kLanes;
  return (vectors + s.threads() - 1) / s.threads() * kLanes;
}

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
