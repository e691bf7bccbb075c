// Element types of tensors, and bfloat16 conversion (round to nearest even).
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

#include "lib/base/attributes.h"

namespace llmtool {

enum class DType : uint8_t { kF32, kBF16, kF16, kF64, kI8, kU8, kI16, kU16, kI32, kI64 };

struct bf16 {
  uint16_t bits;
};

LLMTOOL_INLINE float to_float(float v) {
  return v;
}

LLMTOOL_INLINE float to_float(bf16 v) {
  const uint32_t u = static_cast<uint32_t>(v.bits) << 16;
#if defined(__CUDA_ARCH__)
  return __uint_as_float(u);
#else
  return __builtin_bit_cast(float, u);
#endif
}

// Round to nearest even; NaN stays NaN (quiet), infinities stay.
LLMTOOL_INLINE bf16 to_bf16(float v) {
#if defined(__CUDA_ARCH__)
  const uint32_t u = __float_as_uint(v);
#else
  const uint32_t u = __builtin_bit_cast(uint32_t, v);
#endif
  if ((u & 0x7fffffffu) > 0x7f800000u) return bf16{static_cast<uint16_t>((u >> 16) | 0x40u)};
  return bf16{static_cast<uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16)};
}

template <class T>
struct dtype_of;
template <>
struct dtype_of<float> {
  static constexpr DType value = DType::kF32;
};
template <>
struct dtype_of<bf16> {
  static constexpr DType value = DType::kBF16;
};
template <>
struct dtype_of<double> {
  static constexpr DType value = DType::kF64;
};
template <>
struct dtype_of<int32_t> {
  static constexpr DType value = DType::kI32;
};

LLMTOOL_INLINE constexpr int64_t size_of(DType t) {
  switch (t) {
    case DType::kI8:
    case DType::kU8:
      return 1;
    case DType::kBF16:
    case DType::kF16:
    case DType::kI16:
    case DType::kU16:
      return 2;
    case DType::kF32:
    case DType::kI32:
      return 4;
    case DType::kF64:
    case DType::kI64:
      return 8;
  }
  return 0;
}

// What the kernels compute with.
LLMTOOL_INLINE constexpr bool is_float(DType t) {
  return t == DType::kF32 || t == DType::kBF16;
}

// "f32", "bf16", ...
std::string_view name_of(DType t);

}  // namespace llmtool
