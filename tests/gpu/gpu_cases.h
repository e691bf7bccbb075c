// Each operation at a size that fills a GPU, for the table of gpu_table_test.cpp.
#pragma once

#include <functional>
#include <vector>

#include "tests/kernels/op_case.h"

namespace llmtool::test {

inline constexpr int64_t kRows = 512;  // of the comparisons

// What its speed is measured in: bytes moved, or multiplications and additions.
enum class Unit { kBytes, kOperations };

struct GpuCase {
  OpCase op;
  DType dtype;
  Unit unit;
  double work_per_row;
  std::function<void(const Views&, Stream&)> row_by_row = {};  // if not by slicing rows
};

// A case is made when it is its turn: together they are gigabytes.
struct GpuCaseMaker {
  const char* op;
  std::function<GpuCase()> make;
};

std::vector<GpuCaseMaker> gpu_cases();

}  // namespace llmtool::test
