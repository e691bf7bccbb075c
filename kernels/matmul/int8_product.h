// linear_int8() on an engine of gemm.h whose tiles hold 32-bit integers in the place of floats.
#pragma once

#include "kernels/matmul/gemm.h"
#include "kernels/matmul/linear_int8.h"
#include "lib/base/simd_int8.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

// kLanes rows of the view, which lie along k, from row `at`: r[i] is what `load` (int8_lanes,
// widened_int8) makes of row i (as_rows), or 32 bits of each of them.
template <class Load>
LLMTOOL_INLINE void load_int8_block(Vec (&r)[kLanes], const View& v, bool as_rows, int64_t at,
                                    int64_t k, int64_t depth, Load load) {
  for (int64_t i = 0; i < kLanes; ++i) {
    r[i] = at + i < v.rows ? load(v.row<int8_t>(at + i) + k, depth) : zero();
  }
  if (!as_rows) transpose(r);
}

// The activations of linear_int8() lie along k: nothing of it reads across.
LLMTOOL_INLINE Vec no_int8_across() {
  LLMTOOL_ASSERT(false);
  return zero();
}

struct ScaledProduct {
  Product out;
  View x_scale, w_scale;

  static constexpr int64_t kColumns = kNr;
  int64_t rows() const { return out.rows(); }
  int64_t columns() const { return out.columns(); }
  bool reads() const { return out.reads(); }
  template <class Run>
  bool finish(int64_t, int64_t, const Run&) const {
    return false;
  }
  void prefetch(int64_t m, int64_t n, int64_t row_count, int64_t column_count) const {
    out.prefetch(m, n, row_count, column_count);
  }

  void store(float* tile, int64_t m, int64_t n, int64_t row_count, int64_t column_count) const {
    for (int64_t r = 0; r < row_count; ++r) {
      const Vec row_scale = set1(x_scale.row<float>(m + r)[0]);
      for_vectors(column_count, [&](int64_t i, int64_t lanes) LLMTOOL_INLINE_LAMBDA {
        float* at = tile + r * kNr + i;
        const Vec scale = row_scale * load_lanes(w_scale.row<float>(0) + n + i, lanes);
        llmtool::LLMTOOL_ISA_NAMESPACE::store(
            at, scale * from_int32(llmtool::LLMTOOL_ISA_NAMESPACE::load(at)));
      });
    }
    out.store(tile, m, n, row_count, column_count);
  }
};

template <class Engine>
void linear_int8_on(const LinearInt8& a, Stream& s) {
  const Product y{.c = a.y, .residual = a.residual, .bias = a.bias};
  gemm<Engine, ScaledProduct>(
      {{a.x, false}, {a.w, true, kLanes, a.packed}, {y, a.x_scale, a.w_scale}}, s);
}

template <class Engine>
void pack_linear_int8_on(const PackLinearInt8& a, Stream& s) {
  *a.bytes = 0;
  if (sizeof(typename Engine::Element) != 1) return;  // widened, it would take more memory than w
  *a.bytes = pack_all_of_b<Engine>(a.to, {a.w, true}, a.w.rows, Engine::kNr, s);
}

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE

// Registers them at the level of the file.
#define LLMTOOL_INT8_KERNELS(...)                                                            \
  static constexpr auto pack_linear_int8_kernel = pack_linear_int8_on<__VA_ARGS__>;          \
  static constexpr auto linear_int8_kernel = linear_int8_on<__VA_ARGS__>;                    \
  LLMTOOL_KERNEL(pack_linear_int8, Device::kCpu, Isa::LLMTOOL_ISA, pack_linear_int8_kernel); \
  LLMTOOL_KERNEL(linear_int8, Device::kCpu, Isa::LLMTOOL_ISA, linear_int8_kernel)
