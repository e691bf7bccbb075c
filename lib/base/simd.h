// The vector type of the ISA level that a kernel file is compiled for: f32 lanes, with bf16 loads
// and stores. Everything is inlined and lives in the namespace of the level, so nothing leaks from
// one level's objects into another's. Include it in <op>_cpu.cpp files and their headers only.
#pragma once

#include <cstdint>
#include <immintrin.h>

#include "lib/base/attributes.h"
#include "lib/base/dtype.h"

// After the parameters of a lambda: a helper that calls it from two places must not make a function
// of it.
#define LLMTOOL_INLINE_LAMBDA __attribute__((always_inline))

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
// Internal linkage: each kernel object has its own copy and no symbol of it is weak.
namespace {

#if defined(__AVX512F__)

inline constexpr int64_t kLanes = 16;

struct Vec {
  __m512 v;
};

LLMTOOL_INLINE Vec zero() {
  return {_mm512_setzero_ps()};
}
LLMTOOL_INLINE Vec set1(float x) {
  return {_mm512_set1_ps(x)};
}
LLMTOOL_INLINE Vec load(const float* p) {
  return {_mm512_loadu_ps(p)};
}
LLMTOOL_INLINE void store(float* p, Vec x) {
  _mm512_storeu_ps(p, x.v);
}
LLMTOOL_INLINE __mmask16 first(int64_t n) {
  return static_cast<__mmask16>((1u << n) - 1u);
}
// The first n lanes (0 <= n < kLanes); the others are 0, and not read.
LLMTOOL_INLINE Vec load_n(const float* p, int64_t n) {
  return {_mm512_maskz_loadu_ps(first(n), p)};
}
LLMTOOL_INLINE void store_n(float* p, Vec x, int64_t n) {
  _mm512_mask_storeu_ps(p, first(n), x.v);
}
LLMTOOL_INLINE Vec widen(__m256i bits) {
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16))};
}
LLMTOOL_INLINE Vec load(const bf16* p) {
  return widen(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
LLMTOOL_INLINE Vec load_n(const bf16* p, int64_t n) {
  return widen(_mm256_maskz_loadu_epi16(first(n), p));
}
#if defined(__AVX512BF16__)
// To nearest even; NaN stays NaN, denormals become zero.
LLMTOOL_INLINE __m256i narrow(Vec x) {
  return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x.v));
}
#else
// To nearest even; NaN stays NaN.
LLMTOOL_INLINE __m256i narrow(Vec x) {
  const __m512i u = _mm512_castps_si512(x.v);
  const __m512i lsb = _mm512_and_si512(_mm512_srli_epi32(u, 16), _mm512_set1_epi32(1));
  const __m512i rounded =
      _mm512_srli_epi32(_mm512_add_epi32(u, _mm512_add_epi32(lsb, _mm512_set1_epi32(0x7fff))), 16);
  const __m512i quiet = _mm512_or_si512(_mm512_srli_epi32(u, 16), _mm512_set1_epi32(0x40));
  const __mmask16 nan = _mm512_cmp_ps_mask(x.v, x.v, _CMP_UNORD_Q);
  return _mm512_cvtepi32_epi16(_mm512_mask_blend_epi32(nan, rounded, quiet));
}
#endif
LLMTOOL_INLINE void store(bf16* p, Vec x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), narrow(x));
}
LLMTOOL_INLINE void store_n(bf16* p, Vec x, int64_t n) {
  _mm256_mask_storeu_epi16(p, first(n), narrow(x));
}
LLMTOOL_INLINE Vec operator+(Vec a, Vec b) {
  return {_mm512_add_ps(a.v, b.v)};
}
LLMTOOL_INLINE Vec operator-(Vec a, Vec b) {
  return {_mm512_sub_ps(a.v, b.v)};
}
LLMTOOL_INLINE Vec operator*(Vec a, Vec b) {
  return {_mm512_mul_ps(a.v, b.v)};
}
LLMTOOL_INLINE Vec operator/(Vec a, Vec b) {
  return {_mm512_div_ps(a.v, b.v)};
}
// a * b + c, rounded once.
LLMTOOL_INLINE Vec fma(Vec a, Vec b, Vec c) {
  return {_mm512_fmadd_ps(a.v, b.v, c.v)};
}
LLMTOOL_INLINE Vec max(Vec a, Vec b) {
  return {_mm512_max_ps(a.v, b.v)};
}
LLMTOOL_INLINE Vec min(Vec a, Vec b) {
  return {_mm512_min_ps(a.v, b.v)};
}
LLMTOOL_INLINE Vec sqrt(Vec a) {
  return {_mm512_sqrt_ps(a.v)};
}
LLMTOOL_INLINE Vec round(Vec a) {
  return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
// x * 2^n for integral n in the range of f32's exponents and beyond (gives denormals, 0, infinity).
LLMTOOL_INLINE Vec scale_by_power_of_2(Vec x, Vec n) {
  return {_mm512_scalef_ps(x.v, n.v)};
}
// Lane i is `then` where a < b (false for NaN), else `otherwise`.
LLMTOOL_INLINE Vec select_less(Vec a, Vec b, Vec then, Vec otherwise) {
  return {_mm512_mask_blend_ps(_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ), otherwise.v, then.v)};
}
// The first n lanes of x, then those of rest.
LLMTOOL_INLINE Vec first_lanes(Vec x, int64_t n, Vec rest) {
  return {_mm512_mask_blend_ps(first(n), rest.v, x.v)};
}
LLMTOOL_INLINE __m256 low_half(Vec x) {
  return _mm512_castps512_ps256(x.v);
}
LLMTOOL_INLINE __m256 high_half(Vec x) {
  return _mm512_extractf32x8_ps(x.v, 1);
}

// In place: row i, lane j <-> row j, lane i.
LLMTOOL_INLINE void transpose(Vec (&r)[kLanes]) {
  __m512 t[16];
  for (int i = 0; i < 8; ++i) {
    t[2 * i] = _mm512_unpacklo_ps(r[2 * i].v, r[2 * i + 1].v);
    t[2 * i + 1] = _mm512_unpackhi_ps(r[2 * i].v, r[2 * i + 1].v);
  }
  __m512 u[16];
  for (int i = 0; i < 4; ++i) {
    u[4 * i] = _mm512_shuffle_ps(t[4 * i], t[4 * i + 2], 0x44);
    u[4 * i + 1] = _mm512_shuffle_ps(t[4 * i], t[4 * i + 2], 0xee);
    u[4 * i + 2] = _mm512_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0x44);
    u[4 * i + 3] = _mm512_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0xee);
  }
  for (int i = 0; i < 4; ++i) {
    const __m512 a = _mm512_shuffle_f32x4(u[i], u[4 + i], 0x88);
    const __m512 b = _mm512_shuffle_f32x4(u[8 + i], u[12 + i], 0x88);
    const __m512 c = _mm512_shuffle_f32x4(u[i], u[4 + i], 0xdd);
    const __m512 d = _mm512_shuffle_f32x4(u[8 + i], u[12 + i], 0xdd);
    r[i].v = _mm512_shuffle_f32x4(a, b, 0x88);
    r[4 + i].v = _mm512_shuffle_f32x4(c, d, 0x88);
    r[8 + i].v = _mm512_shuffle_f32x4(a, b, 0xdd);
    r[12 + i].v = _mm512_shuffle_f32x4(c, d, 0xdd);
  }
}

#else

inline constexpr int64_t kLanes = 8;

struct Vec {
  __m256 v;
};

LLMTOOL_INLINE Vec zero() {
  return {_mm256_setzero_ps()};
}
LLMTOOL_INLINE Vec set1(float x) {
  return {_mm256_set1_ps(x)};
}
LLMTOOL_INLINE Vec load(const float* p) {
  return {_mm256_loadu_ps(p)};
}
LLMTOOL_INLINE void store(float* p, Vec x) {
  _mm256_storeu_ps(p, x.v);
}
LLMTOOL_INLINE __m256i first(int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)),
                            _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
LLMTOOL_INLINE Vec load_n(const float* p, int64_t n) {
  return {_mm256_maskload_ps(p, first(n))};
}
LLMTOOL_INLINE void store_n(float* p, Vec x, int64_t n) {
  _mm256_maskstore_ps(p, first(n), x.v);
}
LLMTOOL_INLINE Vec widen(__m128i bits) {
  return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16))};
}
LLMTOOL_INLINE Vec load(const bf16* p) {
  return widen(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
LLMTOOL_INLINE Vec load_n(const bf16* p, int64_t n) {
  alignas(16) uint16_t lanes[8] = {};
  for (int64_t i = 0; i < n; ++i) lanes[i] = p[i].bits;
  return widen(_mm_load_si128(reinterpret_cast<const __m128i*>(lanes)));
}
LLMTOOL_INLINE __m128i narrow(Vec x) {
  const __m256i u = _mm256_castps_si256(x.v);
  const __m256i lsb = _mm256_and_si256(_mm256_srli_epi32(u, 16), _mm256_set1_epi32(1));
  const __m256i rounded =
      _mm256_srli_epi32(_mm256_add_epi32(u, _mm256_add_epi32(lsb, _mm256_set1_epi32(0x7fff))), 16);
  const __m256i quiet = _mm256_or_si256(_mm256_srli_epi32(u, 16), _mm256_set1_epi32(0x40));
  const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(x.v, x.v, _CMP_UNORD_Q));
  const __m256i r = _mm256_blendv_epi8(rounded, quiet, nan);
  const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(r, r), 0xd8);
  return _mm256_castsi256_si128(packed);
}
LLMTOOL_INLINE void store(bf16* p, Vec x) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), narrow(x));
}
LLMTOOL_INLINE void store_n(bf16* p, Vec x, int64_t n) {
  alignas(16) uint16_t lanes[8];
  _mm_store_si128(reinterpret_cast<__m128i*>(lanes), narrow(x));
  for (int64_t i = 0; i < n; ++i) p[i].bits = lanes[i];
}
LLMTOOL_INLINE Vec operator+(Vec a, Vec b) {
  return {_mm256_add_ps(a.v, b.v)};
}
LLMTOOL_INLINE Vec operator-(Vec a, Vec b) {
  return {_mm256_sub_ps(a.v, b.v)};
}
LLMTOOL_INLINE Vec operator*(Vec a, Vec b) {
  return {_mm256_mul_ps(a.v, b.v)};
}
LLMTOOL_INLINE Vec operator/(Vec a, Vec b) {
  return {_mm256_div_ps(a.v, b.v)};
}
LLMTOOL_INLINE Vec fma(Vec a, Vec b, Vec c) {
  return {_mm256_fmadd_ps(a.v, b.v, c.v)};
}
LLMTOOL_INLINE Vec max(Vec a, Vec b) {
  return {_mm256_max_ps(a.v, b.v)};
}
LLMTOOL_INLINE Vec min(Vec a, Vec b) {
  return {_mm256_min_ps(a.v, b.v)};
}
LLMTOOL_INLINE Vec sqrt(Vec a) {
  return {_mm256_sqrt_ps(a.v)};
}
LLMTOOL_INLINE Vec round(Vec a) {
  return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
LLMTOOL_INLINE Vec scale_by_power_of_2(Vec x, Vec n) {
  // In two halves, so that results below the smallest normal number come out right.
  const __m256i i = _mm256_cvtps_epi32(n.v);
  const __m256i half = _mm256_srai_epi32(i, 1), rest = _mm256_sub_epi32(i, half);
  const __m256i bias = _mm256_set1_epi32(127);
  const __m256 a = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(half, bias), 23));
  const __m256 b = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(rest, bias), 23));
  return {_mm256_mul_ps(_mm256_mul_ps(x.v, a), b)};
}
LLMTOOL_INLINE Vec select_less(Vec a, Vec b, Vec then, Vec otherwise) {
  return {_mm256_blendv_ps(otherwise.v, then.v, _mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ))};
}
LLMTOOL_INLINE Vec first_lanes(Vec x, int64_t n, Vec rest) {
  return {_mm256_blendv_ps(rest.v, x.v, _mm256_castsi256_ps(first(n)))};
}

LLMTOOL_INLINE void transpose(Vec (&r)[kLanes]) {
  __m256 t[8], u[8];
  for (int i = 0; i < 4; ++i) {
    t[2 * i] = _mm256_unpacklo_ps(r[2 * i].v, r[2 * i + 1].v);
    t[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i].v, r[2 * i + 1].v);
  }
  for (int i = 0; i < 2; ++i) {
    u[4 * i] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0x44);
    u[4 * i + 1] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0xee);
    u[4 * i + 2] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0x44);
    u[4 * i + 3] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0xee);
  }
  for (int i = 0; i < 4; ++i) {
    r[i].v = _mm256_permute2f128_ps(u[i], u[4 + i], 0x20);
    r[4 + i].v = _mm256_permute2f128_ps(u[i], u[4 + i], 0x31);
  }
}

#endif

LLMTOOL_INLINE Vec abs(Vec a) {
  return max(a, zero() - a);
}
LLMTOOL_INLINE Vec& operator+=(Vec& a, Vec b) {
  return a = a + b;
}

// Lanes added as a binary tree of halves: the same order at every call of a level.
LLMTOOL_INLINE float reduce_add(Vec x) {
#if defined(__AVX512F__)
  const __m256 half = _mm256_add_ps(low_half(x), high_half(x));
#else
  const __m256 half = x.v;
#endif
  const __m128 q = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  const __m128 d = _mm_add_ps(q, _mm_movehl_ps(q, q));
  return _mm_cvtss_f32(_mm_add_ss(d, _mm_movehdup_ps(d)));
}

LLMTOOL_INLINE float reduce_max(Vec x) {
#if defined(__AVX512F__)
  const __m256 half = _mm256_max_ps(low_half(x), high_half(x));
#else
  const __m256 half = x.v;
#endif
  const __m128 q = _mm_max_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  const __m128 d = _mm_max_ps(q, _mm_movehl_ps(q, q));
  return _mm_cvtss_f32(_mm_max_ss(d, _mm_movehdup_ps(d)));
}

// exp(x), relative error below 2e-7 where the result is normal; 0 below -104, infinity above 88.8.
// Cody-Waite reduction by ln 2 in two parts, then a polynomial of degree 6 on [-ln2/2, ln2/2]
// (Cephes expf).
LLMTOOL_INLINE Vec exp(Vec x) {
  x = max(set1(-104.0f), min(set1(89.0f), x));  // in this order NaN stays NaN
  const Vec n = round(x * set1(1.44269504088896341f));
  Vec r = fma(n, set1(-0.693359375f), x);
  r = fma(n, set1(2.12194440e-4f), r);
  Vec p = set1(1.9875691500e-4f);
  p = fma(p, r, set1(1.3981999507e-3f));
  p = fma(p, r, set1(8.3334519073e-3f));
  p = fma(p, r, set1(4.1665795894e-2f));
  p = fma(p, r, set1(1.6666665459e-1f));
  p = fma(p, r, set1(5.0000001201e-1f));
  p = fma(p, r * r, r + set1(1.0f));
  return scale_by_power_of_2(p, n);
}

// The row x[0..n) in vectors: f(offset, lanes) with lanes == kLanes, then once with the tail.
template <class F>
LLMTOOL_INLINE void for_vectors(int64_t n, F&& f) {
  int64_t c = 0;
  for (; c + kLanes <= n; c += kLanes) f(c, kLanes);
  if (c < n) f(c, n - c);
}

template <class T>
LLMTOOL_INLINE Vec load_lanes(const T* p, int64_t lanes) {
  return lanes == kLanes ? load(p) : load_n(p, lanes);
}

template <class T>
LLMTOOL_INLINE void store_lanes(T* p, Vec x, int64_t lanes) {
  if (lanes == kLanes) {
    store(p, x);
  } else {
    store_n(p, x, lanes);
  }
}

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
