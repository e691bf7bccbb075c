// The experiment that fixed the matmul interface: weights as they lie in the file (row-major,
// packed panel by panel on the way into the cache) against weights packed once into panels that
// stay in memory; the three forms of training and a few rows. Every round times every variant once,
// the table shows medians. Run by matmul_spike.sh, kept in matmul_spike.md.
//   matmul_spike ROUNDS THREADS PEAK    PEAK in GFLOP/s, of the level's dtype
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include LLMTOOL_SPIKE_ENGINE

using namespace llmtool;
using namespace llmtool::LLMTOOL_ISA_NAMESPACE;

namespace {

using Engine = LLMTOOL_SPIKE;
using Element = Engine::Element;
using Numbers = std::unique_ptr<Element, void (*)(void*)>;

void set(float& to, float value) {
  to = value;
}
void set(bf16& to, float value) {
  to = to_bf16(value);
}

Numbers numbers(int64_t n) {
  const auto bytes = static_cast<size_t>(n) * sizeof(Element);
  auto* p = static_cast<Element*>(std::aligned_alloc(64, (bytes + 63) / 64 * 64));
  for (int64_t i = 0; i < n; ++i) set(p[i], static_cast<float>(i * 40503 % 2001) * 1e-3f - 1);
  return Numbers(p, std::free);
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

struct Form {
  const char* name;
  bool a_transposed, b_transposed;
};

void measure(const Form& form, int64_t m, int64_t k, int64_t n, int rounds, double peak,
             Stream& s) {
  const Numbers a = numbers(m * k), b = numbers(k * n), c = numbers(m * n), c2 = numbers(m * n);
  const auto matrix = [](const Numbers& x, bool turned, int64_t rows, int64_t cols) {
    return turned ? make_view(x.get(), cols, rows) : make_view(x.get(), rows, cols);
  };
  const Operand left{matrix(a, form.a_transposed, m, k), form.a_transposed};
  Operand right{matrix(b, form.b_transposed, k, n), form.b_transposed};
  const int64_t panels = ceil_div(n, Engine::kNr);
  const Numbers packed =
      numbers(panels * Engine::kNr * ceil_div(k, Engine::kDepth) * Engine::kDepth);
  pack_all_of_b<Engine>(packed.get(), right, n, Engine::kNr, s);
  std::vector<double> lie, before;
  const double flops = 2e-9 * static_cast<double>(m) * static_cast<double>(k * n);
  for (int r = 0; r < rounds; ++r) {
    right.packed = nullptr;
    lie.push_back(flops / seconds_of([&] {
                    gemm<Engine, Product>({left, right, {.c = make_view(c.get(), m, n)}}, s);
                  }));
    right.packed = packed.get();
    before.push_back(flops / seconds_of([&] {
                       gemm<Engine, Product>({left, right, {.c = make_view(c2.get(), m, n)}}, s);
                     }));
  }
  const bool same =
      std::memcmp(c.get(), c2.get(), static_cast<size_t>(m * n) * sizeof(Element)) == 0;
  const double bytes = static_cast<double>(sizeof(Element)) / (2.0 * static_cast<double>(m));
  std::printf("| %s | %lld | %lld | %lld | %.1f | %.0f%% | %.1f | %.1f | %.0f%% | %s |\n",
              form.name, static_cast<long long>(m), static_cast<long long>(k),
              static_cast<long long>(n), median(lie), 100 * median(lie) / peak, median(lie) * bytes,
              median(before), 100 * median(before) / peak, same ? "yes" : "NO");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  if (detected_isa() < Isa::LLMTOOL_ISA) return 3;  // also asks the kernel for AMX
  const int rounds = std::atoi(argv[1]), threads = std::atoi(argv[2]);
  const double peak = std::atof(argv[3]);
  ThreadPool pool(threads, true);
  Stream s;
  s.pool = &pool;
  s.isa = Isa::LLMTOOL_ISA;
  std::printf("\n%s, %s, %d thread%s; peak %.0f GFLOP/s\n\n", std::string(name_of(s.isa)).c_str(),
              sizeof(Element) == 4 ? "f32" : "bf16", threads, threads == 1 ? "" : "s", peak);
  std::printf(
      "| form | M | K | N | as they lie, GFLOP/s | of peak | GB/s of weights | packed before, "
      "GFLOP/s | of peak | same bits |\n|---|---|---|---|---|---|---|---|---|---|\n");
  for (const auto& [k, n] :
       {std::pair<int64_t, int64_t>{576, 1536}, {1536, 576}, {2048, 2048}, {576, 49152}}) {
    for (const int64_t m : {1, 8, 512}) measure({"forward", false, true}, m, k, n, rounds, peak, s);
    measure({"input gradient", false, false}, 512, n, k, rounds, peak, s);
    if (n < 40000) measure({"weight gradient", true, false}, n, 512, k, rounds, peak, s);
  }
}
