// The FLOP/s of this machine's vector units: f32 fused multiply-adds on registers, no memory.
//     c++ -O2 -march=native -pthread tests/bench/train_peak.cpp -o train_peak && ./train_peak 2
// prints GFLOP/s of so many threads: the best of 9 runs of about 20 ms.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#else
constexpr int kLanes = 8;
#endif
constexpr int kChains = 12;  // more than latency x units of any core so far
constexpr long kRounds = 4'000'000;
using Vector = float __attribute__((vector_size(kLanes * sizeof(float))));

float multiply_add() {
  Vector sum[kChains] = {};
  Vector a = Vector{} + 0.999f, b = Vector{} + 1e-3f;
  asm volatile("" : "+v"(a), "+v"(b));               // not constants,
  for (Vector& s : sum) asm volatile("" : "+v"(s));  // and not all the same
  for (long i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
    for (Vector& s : sum) s = s * a + b;
  }
  float total = 0;
  for (const Vector& s : sum) total += s[0];
  return total;
}

double run(int threads) {
  std::atomic<float> keep{0};
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> pool;
  for (int t = 0; t < threads; ++t) pool.emplace_back([&] { keep = multiply_add(); });
  for (std::thread& t : pool) t.join();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  return 2.0 * kLanes * kChains * kRounds * threads / seconds.count() * 1e-9;
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
  double best = 0;
  for (int i = 0; i < 9; ++i) best = std::max(best, run(threads));
  std::printf("%.1f\n", best);
}
