// A matrix somewhere in memory that somebody else owns. Operations take Views; lib/tensor owns.
#pragma once

#include <cstdint>

#include "lib/base/attributes.h"
#include "lib/base/dtype.h"

namespace llmtool {

// (rows, cols), the last dimension contiguous. Tensors of more dimensions are seen with their
// leading ones folded into rows, e.g. (B*T, C), or as one row.
struct View {
  void* data = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t stride = 0;  // elements from one row to the next, >= cols
  DType dtype = DType::kF32;

  LLMTOOL_INLINE bool empty() const { return data == nullptr; }
  LLMTOOL_INLINE int64_t count() const { return rows * cols; }
  LLMTOOL_INLINE bool contiguous() const { return stride == cols || rows <= 1; }
  // T must be the type that dtype names; rows are counted from 0.
  template <class T>
  LLMTOOL_INLINE T* row(int64_t r) const {
    return static_cast<T*>(data) + r * stride;
  }
  LLMTOOL_INLINE void* at(int64_t r, int64_t c) const {
    return static_cast<char*>(data) + (r * stride + c) * size_of(dtype);
  }
  // Rows [begin, begin + n), columns [begin, begin + n): the same memory.
  LLMTOOL_INLINE View slice_rows(int64_t begin, int64_t n) const {
    return View{at(begin, 0), n, cols, stride, dtype};
  }
  LLMTOOL_INLINE View first_rows(int64_t n) const { return slice_rows(0, n); }
  LLMTOOL_INLINE View slice_cols(int64_t begin, int64_t n) const {
    return View{at(0, begin), rows, n, stride, dtype};
  }
};

template <class T>
LLMTOOL_INLINE View make_view(T* data, int64_t rows, int64_t cols) {
  return View{data, rows, cols, cols, dtype_of<T>::value};
}

LLMTOOL_INLINE bool same_shape(const View& a, const View& b) {
  return a.rows == b.rows && a.cols == b.cols;
}

LLMTOOL_INLINE bool alike(const View& a, const View& b) {
  return same_shape(a, b) && a.dtype == b.dtype;
}

}  // namespace llmtool
