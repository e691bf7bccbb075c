// Panels of the operands of a product: the blocking of the vector levels, and how matrices are
// packed into them as f32.
#pragma once

#include "lib/base/simd.h"
#include "lib/base/view.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

inline constexpr int64_t kNrVectors = 2;
inline constexpr int64_t kNr = kNrVectors * kLanes;
// Accumulators for kMr rows, the kNrVectors of B and one broadcast fill the register file.
inline constexpr int64_t kMr = kLanes == 16 ? 14 : 6;

// How A and B lie in memory.
struct Operand {
  View view;        // f32 or bf16
  bool transposed;  // A: view is (K, M) instead of (M, K); B: view is (N, K) instead of (K, N)
  // B: columns from the first vector of a panel to the second.
  int64_t pitch = kLanes;
  // B: all its panels as the engine packs them, one after another; or null.
  const void* packed = nullptr;
};

// A tile of sums, [kMr][kNr] of an engine: added to what it holds, or computed from zero.
struct Sums {
  float* tile;
  bool from_zero;
};

LLMTOOL_INLINE int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}
LLMTOOL_INLINE int64_t smaller(int64_t a, int64_t b) {
  return a < b ? a : b;
}

// One vector of a panel: to[k * width + i] = from(row i, column k) for i < rows, 0 for rows <= i <
// lanes; from is row-major.
template <class T>
void pack_transposed(float* to, int64_t width, int64_t lanes, const T* from, int64_t stride,
                     int64_t rows, int64_t k_count) {
  for (int64_t k = 0; k < k_count; k += kLanes) {
    const int64_t depth = smaller(kLanes, k_count - k);
    Vec r[kLanes];
    for (int64_t j = 0; j < kLanes; ++j) {
      r[j] = j < rows ? load_lanes(from + j * stride + k, depth) : zero();
    }
    transpose(r);
    for (int64_t j = 0; j < depth; ++j) store_lanes(to + (k + j) * width, r[j], lanes);
  }
}

// to[k * width + i] = from(row k, column i) for i < columns, 0 for columns <= i < lanes.
template <class T>
void pack_straight(float* to, int64_t width, int64_t lanes, const T* from, int64_t stride,
                   int64_t columns, int64_t k_count) {
  for (int64_t k = 0; k < k_count; ++k) {
    const Vec v = columns >= kLanes ? load(from + k * stride)
                  : columns > 0     ? load_n(from + k * stride, columns)
                                    : zero();
    store_lanes(to + k * width, v, lanes);
  }
}

// A panel of `width` rows of A or columns of B, from index `begin`, k in [k_begin, k_begin +
// count); from one vector of it to the next are `pitch` rows or columns. along_k: the rows of the
// view run along k.
template <class T>
LLMTOOL_INLINE void pack_panel_of(float* to, int64_t width, const View& v, bool along_k,
                                  int64_t begin, int64_t pitch, int64_t k_begin, int64_t count) {
  for (int64_t i = 0; i < width; i += kLanes) {
    const int64_t at = begin + i / kLanes * pitch, lanes = smaller(kLanes, width - i);
    const int64_t there = (along_k ? v.rows : v.cols) - at;
    const T* from = there <= 0 ? nullptr
                    : along_k  ? v.row<T>(at) + k_begin
                               : v.row<T>(k_begin) + at;
    if (along_k) {
      pack_transposed(to + i, width, lanes, from, v.stride, smaller(lanes, there), count);
    } else {
      pack_straight(to + i, width, lanes, from, v.stride, smaller(lanes, there), count);
    }
  }
}

inline void pack_panel(float* to, int64_t width, const View& v, bool along_k, int64_t begin,
                       int64_t pitch, int64_t k_begin, int64_t count) {
  if (v.dtype == DType::kBF16) {
    pack_panel_of<bf16>(to, width, v, along_k, begin, pitch, k_begin, count);
  } else {
    pack_panel_of<float>(to, width, v, along_k, begin, pitch, k_begin, count);
  }
}

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
