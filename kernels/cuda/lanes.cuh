// Reading and writing eight neighbouring elements of a row as floats. Which elements a thread gets
// never depends on the alignment, so neither does any order of summation; aligned rows move in
// 16-byte pieces.
#pragma once

#include <cstdint>
#include <cuda_runtime.h>

#include "lib/base/dtype.h"
#include "lib/base/view.h"

namespace llmtool::cuda {

inline constexpr int kLanes = 8;

// Rows of T seen by a kernel.
template <class T>
struct Lanes {
  T* data = nullptr;
  int64_t cols = 0;
  int64_t stride = 0;
  bool aligned = false;  // every row begins on 16 bytes

  Lanes() = default;
  explicit Lanes(const View& view)
      : data(static_cast<T*>(view.data)), cols(view.cols), stride(view.stride) {
    aligned = reinterpret_cast<uintptr_t>(data) % 16 == 0 &&
              (view.rows <= 1 || stride * static_cast<int64_t>(sizeof(T)) % 16 == 0);
  }

  __device__ bool empty() const { return data == nullptr; }
  __device__ T* row(int64_t r) const { return data + r * stride; }

  // v[i] = row r, column c + i; `beyond` past the last column. c is a multiple of kLanes.
  __device__ void load(float (&v)[kLanes], int64_t r, int64_t c, float beyond = 0) const {
    const T* p = row(r) + c;
    if (aligned && c + kLanes <= cols) {
      load_whole(v, p);
      return;
    }
#pragma unroll
    for (int i = 0; i < kLanes; ++i) v[i] = c + i < cols ? to_float(p[i]) : beyond;
  }

  __device__ void store(const float (&v)[kLanes], int64_t r, int64_t c) const {
    T* p = row(r) + c;
    if (aligned && c + kLanes <= cols) {
      store_whole(v, p);
      return;
    }
#pragma unroll
    for (int i = 0; i < kLanes; ++i) {
      if (c + i < cols) p[i] = rounded<T>(v[i]);
    }
  }

  template <class U>
  __device__ static U rounded(float v) {
    if constexpr (sizeof(U) == sizeof(float)) {
      return v;
    } else {
      return to_bf16(v);
    }
  }

 private:
  static constexpr int kPerPiece = 16 / static_cast<int>(sizeof(T));
  struct alignas(16) Piece {
    T element[kPerPiece];
  };

  __device__ static void load_whole(float (&v)[kLanes], const T* p) {
#pragma unroll
    for (int i = 0; i < kLanes; i += kPerPiece) {
      const Piece piece = *reinterpret_cast<const Piece*>(p + i);
#pragma unroll
      for (int j = 0; j < kPerPiece; ++j) v[i + j] = to_float(piece.element[j]);
    }
  }

  __device__ static void store_whole(const float (&v)[kLanes], T* p) {
#pragma unroll
    for (int i = 0; i < kLanes; i += kPerPiece) {
      Piece piece;
#pragma unroll
      for (int j = 0; j < kPerPiece; ++j) piece.element[j] = rounded<T>(v[i + j]);
      *reinterpret_cast<Piece*>(p + i) = piece;
    }
  }
};

}  // namespace llmtool::cuda
