// Vectors whose lanes of 32 bits hold integers.
#pragma once

#include "lib/base/simd.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

#if defined(__AVX512F__)

// Their values as f32.
LLMTOOL_INLINE Vec from_int32(Vec bits) {
  return {_mm512_cvtepi32_ps(_mm512_castps_si512(bits.v))};
}
// To the nearest integer, to even, saturated to int8.
LLMTOOL_INLINE void store_int8(int8_t* p, Vec x, int64_t n) {
  _mm512_mask_cvtsepi32_storeu_epi8(p, n == kLanes ? static_cast<__mmask16>(0xffff) : first(n),
                                    _mm512_cvtps_epi32(x.v));
}
// count (from 0) bytes and zeros: 64 of them, and 32 of them widened to int16.
LLMTOOL_INLINE Vec int8_lanes(const int8_t* p, int64_t count) {
  const auto mask = count >= 64 ? ~__mmask64{0} : (__mmask64{1} << count) - 1;
  return {_mm512_castsi512_ps(_mm512_maskz_loadu_epi8(mask, p))};
}
LLMTOOL_INLINE Vec widened_int8(const int8_t* p, int64_t count) {
  const auto mask = count >= 32 ? ~__mmask32{0} : (__mmask32{1} << count) - 1;
  return {_mm512_castsi512_ps(_mm512_cvtepi8_epi16(_mm256_maskz_loadu_epi8(mask, p)))};
}
// Lanes of two int16: acc + the two products, in int32.
LLMTOOL_INLINE Vec add_pairs(Vec a, Vec b, Vec acc) {
  return {_mm512_castsi512_ps(
      _mm512_add_epi32(_mm512_castps_si512(acc.v),
                       _mm512_madd_epi16(_mm512_castps_si512(a.v), _mm512_castps_si512(b.v))))};
}

#else

LLMTOOL_INLINE Vec from_int32(Vec bits) {
  return {_mm256_cvtepi32_ps(_mm256_castps_si256(bits.v))};
}
LLMTOOL_INLINE void store_int8(int8_t* p, Vec x, int64_t n) {
  alignas(32) int32_t lanes[8];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), _mm256_cvtps_epi32(x.v));
  for (int64_t i = 0; i < n; ++i) {
    p[i] = static_cast<int8_t>(lanes[i] < -128 ? -128 : lanes[i] > 127 ? 127 : lanes[i]);
  }
}
LLMTOOL_INLINE Vec widened_int8(const int8_t* p, int64_t count) {
  __m128i bytes;
  if (count >= 16) {
    bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  } else {
    alignas(16) int8_t some[16] = {};
    for (int64_t i = 0; i < count; ++i) some[i] = p[i];
    bytes = _mm_load_si128(reinterpret_cast<const __m128i*>(some));
  }
  return {_mm256_castsi256_ps(_mm256_cvtepi8_epi16(bytes))};
}
LLMTOOL_INLINE Vec add_pairs(Vec a, Vec b, Vec acc) {
  return {_mm256_castsi256_ps(
      _mm256_add_epi32(_mm256_castps_si256(acc.v),
                       _mm256_madd_epi16(_mm256_castps_si256(a.v), _mm256_castps_si256(b.v))))};
}

#endif

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
