// The experiment that fixed the matmul interface: weights as they lie in the file (row-major,
// packed panel by panel on the way into the cache) against weights packed once into panels that
// stay in memory; the three forms of training and one row; 1 and 2 threads. Every round times every
// variant and the peak once, the table shows medians. Run by matmul_spike.sh, kept in
// matmul_spike.md.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "kernels/machine/peak.h"
#include "kernels/matmul/gemm.h"
#include "lib/base/error.h"

using namespace llmtool;
using namespace llmtool::LLMTOOL_ISA_NAMESPACE;

namespace {

using Floats = std::unique_ptr<float, void (*)(void*)>;

Floats floats(int64_t n) {
  auto* p = static_cast<float*>(std::aligned_alloc(64, static_cast<size_t>((n + 15) / 16 * 64)));
  for (int64_t i = 0; i < n; ++i) p[i] = static_cast<float>(i * 2654435761u % 2001) * 1e-3f - 1;
  return Floats(p, std::free);
}

double seconds_of(auto&& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

// All panels of B, packed once.
Floats pack_all(const Operand& b, int64_t n, int64_t k) {
  Floats packed = floats(ceil_div(n, kNr) * kNr * k);
  for (int64_t p = 0; p < ceil_div(n, kNr); ++p) {
    pack_panel(packed.get() + p * kNr * k, kNr, b.view, b.transposed, p * kNr, 0, k);
  }
  return packed;
}

// C = A B with B packed before: what gemm() does, without pack_panel.
void gemm_packed(const View& c, const Operand& a, const float* b, int64_t k, Stream& s) {
  const int64_t panels = ceil_div(c.rows, kMr), n_panels = ceil_div(c.cols, kNr);
  auto* packed_a = static_cast<float*>(
      s.scratch().shared(static_cast<size_t>(panels * k * kMr) * sizeof(float)));
  s.parallel_for(panels, 4, [&](int64_t begin, int64_t end, int) {
    for (int64_t p = begin; p < end; ++p) {
      pack_panel(packed_a + p * k * kMr, kMr, a.view, !a.transposed, p * kMr, 0, k);
    }
  });
  const Gemm g{c, a, {}, {}, false};
  s.parallel_for(n_panels, 1, [&](int64_t begin, int64_t end, int) {
    alignas(64) float tile[kMr * kNr];
    for (int64_t j = begin; j < end; ++j) {
      for (int64_t p = 0; p < panels; ++p) {
        const int64_t rows = smaller(kMr, c.rows - p * kMr);
        for (int64_t i = 0; i < kMr * kNr; i += kLanes) store(tile + i, zero());
        multiply_rows(rows, tile, packed_a + p * k * kMr, b + j * kNr * k, k);
        store_tile<float>(g, tile, kNr, p * kMr, j * kNr, rows, smaller(kNr, c.cols - j * kNr));
      }
    }
  });
}

struct Row {
  const char* form;
  int64_t m, k, n;
  bool same_bits;
  double as_they_lie, packed;  // GFLOP/s
};

double fma_rate(Stream& s) {
  double flops = 0;
  const double t = seconds_of([&] { f32_peak({1'000'000, &flops}, s); });
  return flops / t * 1e-9;
}

Row measure(const char* form, int64_t m, int64_t k, int64_t n, bool b_transposed, int rounds,
            std::vector<double>& peaks, Stream& s) {
  const Floats a = floats(m * k), b = floats(k * n), c = floats(m * n), c2 = floats(m * n);
  const Operand left{make_view(a.get(), m, k), false};
  const Operand right{b_transposed ? make_view(b.get(), n, k) : make_view(b.get(), k, n),
                      b_transposed};
  const View out = make_view(c.get(), m, n), out2 = make_view(c2.get(), m, n);
  const Floats packed = pack_all(right, n, k);
  std::vector<double> lie, pre;
  const double flops = 2.0 * static_cast<double>(m) * static_cast<double>(k * n) * 1e-9;
  for (int r = 0; r < rounds; ++r) {
    peaks.push_back(fma_rate(s));
    lie.push_back(flops / seconds_of([&] { gemm({out, left, right, {}, false}, s); }));
    pre.push_back(flops / seconds_of([&] { gemm_packed(out2, left, packed.get(), k, s); }));
  }
  const bool same = std::memcmp(c.get(), c2.get(), static_cast<size_t>(m * n) * 4) == 0;
  return {form, m, k, n, same, median(lie), median(pre)};
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 9;
  for (const int threads : {1, 2}) {
    ThreadPool pool(threads, true);
    Stream s;
    s.pool = &pool;
    s.isa = Isa::LLMTOOL_ISA;
    std::vector<Row> rows;
    std::vector<double> peaks;
    for (const auto& [k, n] :
         {std::pair<int64_t, int64_t>{576, 1536}, {1536, 576}, {2048, 2048}, {576, 49152}}) {
      for (const int64_t m : {1, 8, 512}) {
        rows.push_back(measure("forward", m, k, n, true, rounds, peaks, s));
      }
      rows.push_back(measure("input gradient", 512, n, k, false, rounds, peaks, s));
      if (n < 40000) rows.push_back(measure("weight gradient", n, 512, k, false, rounds, peaks, s));
    }
    const double peak = median(peaks);
    std::printf("\n%s, f32, %d thread%s; multiply-add peak %.0f GFLOP/s (median of %zu)\n\n",
                std::string(name_of(s.isa)).c_str(), threads, threads == 1 ? "" : "s", peak,
                peaks.size());
    std::printf(
        "| form | M | K | N | as they lie, GFLOP/s | of peak | GB/s of weights | packed "
        "before, GFLOP/s | of peak | same bits |\n|---|---|---|---|---|---|---|---|---|---|\n");
    for (const Row& r : rows) {
      const double bytes = 4.0 * static_cast<double>(r.k * r.n) /
                           (2.0 * static_cast<double>(r.m) * static_cast<double>(r.k * r.n));
      std::printf("| %s | %lld | %lld | %lld | %.1f | %.0f%% | %.1f | %.1f | %.0f%% | %s |\n",
                  r.form, static_cast<long long>(r.m), static_cast<long long>(r.k),
                  static_cast<long long>(r.n), r.as_they_lie, 100 * r.as_they_lie / peak,
                  r.as_they_lie * bytes, r.packed, 100 * r.packed / peak,
                  r.same_bits ? "yes" : "NO");
    }
  }
}
