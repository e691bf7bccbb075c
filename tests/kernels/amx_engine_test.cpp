// The AMX matrix product with its tiles computed by a model of the instructions, so that packing,
// edges and accumulation are tested on CPUs without AMX too. Compiled at the AVX-512 level (see
// tests/CMakeLists.txt). Where there is AMX the table of linear_test.cpp runs the hardware.
#include "kernels/matmul/amx_engine.h"

#include <array>
#include <cmath>
#include <cstring>
#include <doctest/doctest.h>
#include <vector>

#include "lib/base/error.h"
#include "lib/base/rng.h"

using namespace llmtool;
using namespace llmtool::LLMTOOL_ISA_NAMESPACE;

namespace {

// TDPBF16PS, TDPBSSD (Intel SDM vol. 2): sums of products of pairs and quads. Tile registers are
// per thread.
struct ModelTiles {
  static inline thread_local unsigned char tile[8][16][64];
  static inline thread_local bool configured = false;

  static void configure() { configured = true; }
  static void release() { configured = false; }
  template <int T>
  static void clear() {
    LLMTOOL_ASSERT(configured);
    std::memset(tile[T], 0, sizeof tile[T]);
  }
  template <int T, bool kStreams = false>
  static void load(const void* p, int64_t stride) {
    LLMTOOL_ASSERT(configured);
    for (int r = 0; r < 16; ++r)
      std::memcpy(tile[T][r], static_cast<const char*>(p) + r * stride, 64);
  }
  template <int T>
  static void save(void* p, int64_t stride) {
    LLMTOOL_ASSERT(configured);
    for (int r = 0; r < 16; ++r) std::memcpy(static_cast<char*>(p) + r * stride, tile[T][r], 64);
  }
  // Number i of a row, and the sum of the products of the groups of row m of A and column n of B.
  template <class Element>
  static auto number(int t, int row, int i) {
    Element v;
    std::memcpy(&v, tile[t][row] + sizeof(v) * static_cast<size_t>(i), sizeof(v));
    if constexpr (sizeof(v) == 1) {
      return static_cast<int32_t>(v);
    } else {
      return to_float(v);
    }
  }
  template <class Element, int C, int A, int B>
  static void multiply_add() {
    constexpr int kGroup = 4 / static_cast<int>(sizeof(Element));
    for (int m = 0; m < 16; ++m) {
      for (int n = 0; n < 16; ++n) {
        decltype(number<Element>(0, 0, 0)) part[4] = {}, sum;
        for (int k = 0; k < 16; ++k) {
          for (int i = 0; i < kGroup; ++i) {
            part[i] +=
                number<Element>(A, m, kGroup * k + i) * number<Element>(B, k, kGroup * n + i);
          }
        }
        std::memcpy(&sum, tile[C][m] + 4 * n, 4);
        sum += (part[0] + part[1]) + (part[2] + part[3]);
        std::memcpy(tile[C][m] + 4 * n, &sum, 4);
      }
    }
  }
};

struct Matrix {
  std::vector<bf16> data;
  View view;
  // Rows are further apart than they are long: neighbours must not be read or written.
  Matrix(int64_t rows, int64_t cols, uint64_t seed)
      : data(static_cast<size_t>(rows * (cols + 3)), to_bf16(NAN)),
        view{data.data(), rows, cols, cols + 3, DType::kBF16} {
    const Rng rng(seed);
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < cols; ++c) {
        view.row<bf16>(r)[c] =
            to_bf16(static_cast<float>(rng.normal(static_cast<uint64_t>(r * cols + c))));
      }
    }
  }
  double at(int64_t r, int64_t c) const { return to_float(view.row<bf16>(r)[c]); }
};

void check_product(int64_t M, int64_t K, int64_t N, bool a_transposed, bool b_transposed,
                   bool accumulate, int threads) {
  CAPTURE(M);
  CAPTURE(K);
  CAPTURE(N);
  CAPTURE(a_transposed);
  CAPTURE(b_transposed);
  ThreadPool pool(threads);
  Stream s;
  s.pool = &pool;
  const Matrix a = a_transposed ? Matrix(K, M, 1) : Matrix(M, K, 1);
  const Matrix b = b_transposed ? Matrix(N, K, 2) : Matrix(K, N, 2);
  std::vector<float> c(static_cast<size_t>(M * N), 0.5f), alone = c;
  const View out = make_view(c.data(), M, N);
  using Engine = AmxEngine<ModelTiles, TilesOfBf16>;
  const Operand left{a.view, a_transposed}, right{b.view, b_transposed};
  gemm<Engine, Product>({left, right, {.c = out, .residual = accumulate ? out : View{}}}, s);
  double worst = 0;
  for (int64_t m = 0; m < M; ++m) {
    for (int64_t n = 0; n < N; ++n) {
      double sum = accumulate ? 0.5 : 0.0, size = 1;
      for (int64_t k = 0; k < K; ++k) {
        const double p =
            (a_transposed ? a.at(k, m) : a.at(m, k)) * (b_transposed ? b.at(n, k) : b.at(k, n));
        sum += p;
        size += std::abs(p);
      }
      // f32 sums of K terms: K * 2^-24 of the sum of their sizes at worst.
      const double error = std::abs(sum - out.row<float>(m)[n]) /
                           (size * static_cast<double>(std::max<int64_t>(K, 1)) * 0x1p-24);
      if (!(error <= worst)) worst = error;
    }
  }
  CHECK(worst <= 1);
  if (a_transposed) return;
  // A row alone has the same bits, also from a B that was packed before.
  std::vector<char> memory(
      static_cast<size_t>(pack_all_of_b<Engine>(nullptr, right, N, Engine::kNr, s)) + 64);
  Operand packed = right;
  packed.packed =
      reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(memory.data()) + 63) / 64 * 64);
  pack_all_of_b<Engine>(const_cast<void*>(packed.packed), right, N, Engine::kNr, s);
  for (int64_t m = 0; m < M; ++m) {
    const View row = make_view(alone.data() + m * N, 1, N);
    gemm<Engine, Product>({{a.view.slice_rows(m, 1), false},
                           m % 2 == 0 ? packed : right,
                           {.c = row, .residual = accumulate ? row : View{}}},
                          s);
  }
  CHECK((c.empty() || std::memcmp(alone.data(), c.data(), c.size() * sizeof(float)) == 0));
}

}  // namespace

TEST_CASE("AMX engine: the three forms against f64, odd sizes, rows alone") {
  if (detected_isa() < Isa::kAvx512) {
    MESSAGE("SKIPPED: this CPU has no AVX-512, which packs for the tiles");
    return;
  }
  struct Size {
    int64_t m, k, n;
  };
  for (const Size& z : {Size{1, 1, 1},
                        {3, 33, 17},
                        {16, 32, 16},
                        {17, 31, 33},
                        {40, 64, 70},
                        {64, 96, 40},
                        {33, 200, 65},
                        {150, 1100, 34},
                        {64, 672, 33},
                        {1, 700, 17},
                        {33, 704, 34},
                        {64, 0, 32},
                        {0, 64, 32}}) {
    for (const int threads : {1, 2}) {
      check_product(z.m, z.k, z.n, false, true, false, threads);  // forward
      check_product(z.m, z.k, z.n, false, false, true, threads);  // input gradient
      check_product(z.m, z.k, z.n, true, false, true, threads);   // weight gradient
    }
  }
}

TEST_CASE("AMX engine: int8 sums are exact") {
  if (detected_isa() < Isa::kAvx512) {
    MESSAGE("SKIPPED: this CPU has no AVX-512, which packs for the tiles");
    return;
  }
  ThreadPool pool(2);
  Stream s;
  s.pool = &pool;
  const Rng rng(7);
  const auto random = [&](int64_t n, uint64_t from) {
    std::vector<int8_t> v(static_cast<size_t>(n));
    for (size_t i = 0; i < v.size(); ++i)
      v[i] = static_cast<int8_t>(rng.below(from + i, 255) - 127);
    return v;
  };
  for (const auto& [M, N, K] :
       {std::array<int64_t, 3>{1, 1, 1}, {17, 33, 63}, {40, 70, 65}, {33, 34, 5000}}) {
    auto x = random(M * K, 0), w = random(N * K, 1 << 20);
    std::vector<float> y(static_cast<size_t>(M * N)), ones(static_cast<size_t>(std::max(M, N)), 1);
    const auto matrix = [](auto& v, int64_t rows, int64_t cols, DType t) {
      return View{v.data(), rows, cols, cols, t};
    };
    const LinearInt8 args{.y = make_view(y.data(), M, N),
                          .x = matrix(x, M, K, DType::kI8),
                          .x_scale = make_view(ones.data(), M, 1),
                          .w = matrix(w, N, K, DType::kI8),
                          .w_scale = make_view(ones.data(), N, 1)};
    linear_int8_on<AmxEngine<ModelTiles, TilesOfInt8>>(args, s);
    bool alike = true;
    for (int64_t m = 0; m < M; ++m) {
      for (int64_t n = 0; n < N; ++n) {
        int32_t sum = 0;
        for (int64_t k = 0; k < K; ++k) {
          sum += x[static_cast<size_t>(m * K + k)] * w[static_cast<size_t>(n * K + k)];
        }
        alike = alike && y[static_cast<size_t>(m * N + n)] == static_cast<float>(sum);
      }
    }
    CHECK(alike);
  }
}
