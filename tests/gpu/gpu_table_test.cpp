// What tests/gpu/run.sh ends with: each operation at ordinary sizes, as one table. The cases of
// tests/kernels/ say whether an operation is right at odd sizes; this says how far it is from the
// CPU kernels, whether its bits hold, and how fast it is beside what the machine was seen to do.
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "kernels/matmul/linear.h"
#include "lib/base/error.h"
#include "lib/tensor/memory.h"
#include "tests/gpu/gpu_cases.h"

namespace llmtool::test {
namespace {

constexpr int64_t kRepeat = 16;  // timing has kRepeat times as many rows as the comparisons
constexpr double kSecondsOfTiming = 0.05;

// The largest difference of any output, as a fraction of the largest value there.
double largest_difference(const OpCase& c, const Result& a, const Result& b) {
  double worst = 0;
  for (const Slot& s : c.slots) {
    if (!s.output || s.scratch) continue;
    const std::vector<double> x = a.values(s.name), y = b.values(s.name);
    double difference = 0, size = 1e-30;
    for (size_t i = 0; i < x.size(); ++i) {
      const double d = std::abs(x[i] - y[i]);
      difference = d <= difference ? difference : d;  // a NaN stays
      size = std::max(size, std::abs(y[i]));
    }
    const double relative = difference / size;
    worst = relative <= worst ? worst : relative;
  }
  return worst;
}

// How far bf16 and f32 may be apart between devices: sums in another order, weights of attention
// rounded to bf16.
double allowed(DType t) {
  return t == DType::kBF16 ? 2 * kUnit16 : 1e-5;
}

bool same_bits(const OpCase& c, const Result& a, const Result& b, bool rows_only) {
  for (const Slot& s : c.slots) {
    if (!s.output || s.scratch || (rows_only && !s.per_row)) continue;
    if (a.bytes(s.name) != b.bytes(s.name)) return false;
  }
  return true;
}

std::vector<uint8_t> encoded(const Matrix& m, DType t) {
  std::vector<uint8_t> bytes;
  for (const double v : m.values) {
    const auto f = static_cast<float>(v);
    const bf16 h = to_bf16(f);
    const void* from = t == DType::kF64    ? static_cast<const void*>(&v)
                       : t == DType::kBF16 ? static_cast<const void*>(&h)
                                           : static_cast<const void*>(&f);
    const auto* byte = static_cast<const uint8_t*>(from);
    bytes.insert(bytes.end(), byte, byte + size_of(t));
  }
  return bytes;
}

template <class T>
std::vector<T> repeated(const std::vector<T>& v, int64_t times) {
  std::vector<T> all;
  for (int64_t i = 0; i < times; ++i) all.insert(all.end(), v.begin(), v.end());
  return all;
}

// Seconds of one f(), queued again and again.
template <class F>
double seconds_of(Stream& stream, const F& f) {
  using Clock = std::chrono::steady_clock;
  const auto timed = [&](int times) {
    const auto start = Clock::now();
    for (int i = 0; i < times; ++i) f();
    synchronize(stream);
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  timed(3);
  const double once = timed(5) / 5;
  const int times = std::max(5, static_cast<int>(kSecondsOfTiming / once));
  return timed(times) / times;
}

// On kRepeat copies of the rows.
double seconds_of(const OpCase& c, Stream& stream) {
  std::map<std::string, TestMemory> memory;
  Views views;
  for (const Slot& s : c.slots) {
    const int64_t times = s.per_row ? kRepeat : 1;
    const auto [at, _] =
        memory.try_emplace(s.name, repeated(encoded(s.initial, s.dtype), times), stream);
    const Matrix& m = s.initial;
    views.put(s.name, View{at->second.data(), m.rows * times, m.cols, m.cols, s.dtype});
  }
  for (const auto& [name, ids] : c.ids) {
    const auto all = repeated(ids, kRepeat);
    const auto* bytes = reinterpret_cast<const uint8_t*>(all.data());
    const auto [at, _] = memory.try_emplace(
        name + " ids", std::vector<uint8_t>(bytes, bytes + all.size() * sizeof(int32_t)), stream);
    views.put_ids(name, reinterpret_cast<const int32_t*>(at->second.data()));
  }
  return seconds_of(stream, [&] { c.call(views, stream); });
}

// What this GPU was seen to do: bytes a second of a copy, counting both ends; operations a second
// of a large product.
struct Peaks {
  double bytes = 0, f32 = 0, bf16 = 0;

  double of(const GpuCase& c) const {
    return c.unit == Unit::kBytes ? bytes : c.dtype == DType::kBF16 ? bf16 : f32;
  }
};

double copy_peak(Stream& stream) {
  constexpr int64_t kBytes = int64_t{1} << 30;
  void* from = allocate_memory(Device::kCuda, kBytes);
  void* to = allocate_memory(Device::kCuda, kBytes);
  const double seconds = seconds_of(
      stream, [&] { copy_memory(to, Device::kCuda, from, Device::kCuda, kBytes, stream); });
  free_memory(Device::kCuda, from);
  free_memory(Device::kCuda, to);
  return 2.0 * kBytes / seconds;
}

double product_peak(DType t, Stream& stream) {
  constexpr int64_t kSize = 8192;
  const auto some = encoded(rounded(normal(kSize / 16, kSize, 9), t), t);
  const TestMemory x(repeated(some, 16), stream), w(repeated(some, 16), stream);
  const TestMemory y(repeated(some, 16), stream);
  const auto view = [t](const TestMemory& m) { return View{m.data(), kSize, kSize, kSize, t}; };
  const double seconds = seconds_of(
      stream, [&] { linear({.y = view(y), .x = view(x), .w = view(w), .residual = {}}, stream); });
  return 2.0 * kSize * kSize * kSize / seconds;
}

void print_row(const GpuCase& c, double error, const char* alone, bool repeat, double seconds,
               const Peaks& peaks) {
  const double speed = c.work_per_row * kRows * kRepeat / seconds;
  std::printf("%-22s %-12s %9.1e %6s %7s %10.1f %9.1f %-8s %5.0f%%\n", c.op.op.c_str(),
              c.op.about.c_str(), error, alone, repeat ? "same" : "DIFFER", seconds * 1e6,
              speed / (c.unit == Unit::kBytes ? 1e9 : 1e12),
              c.unit == Unit::kBytes ? "GB/s" : "TFLOP/s", 100 * speed / peaks.of(c));
  std::fflush(stdout);
}

// Whether rows alone have the bits of all rows at once: "same", "DIFFER", or "-" where rows are not
// independent.
const char* rows_alone(const GpuCase& c, const Result& whole, const Lane& gpu) {
  OpCase op = c.op;
  if (c.row_by_row) {
    op.call = c.row_by_row;
    return same_bits(op, whole, run_case(op, gpu, {}), false) ? "same" : "DIFFER";
  }
  if (!op.row_invariant) return "-";
  return same_bits(op, whole, run_case(op, gpu, {.chunk = 1}), true) ? "same" : "DIFFER";
}

void measure(const GpuCase& c, const Peaks& peaks) {
  INFO(c.op.op, " ", c.op.about);
  const Lane gpu{Device::kCuda, Isa::kNone}, cpu{Device::kCpu, selected_isa()};
  Stream stream = stream_on(gpu, 1);
  const Result whole = run_case(c.op, gpu, {});
  const double error = largest_difference(c.op, whole, run_case(c.op, cpu, {.threads = 3}));
  const bool repeat = same_bits(c.op, whole, run_case(c.op, gpu, {}), false);
  const std::string alone = rows_alone(c, whole, gpu);
  print_row(c, error, alone.c_str(), repeat, seconds_of(c.op, stream), peaks);
  CHECK(error <= allowed(c.dtype));
  CHECK(repeat);
  CHECK(alone != "DIFFER");
}

TEST_CASE("CUDA: the table of operations") {
  if (available_devices().size() < 2 && std::getenv("LLMTOOL_REQUIRE_GPU") == nullptr) {
    MESSAGE("SKIPPED: no GPU here; see tests/gpu/run.sh");
    return;
  }
  Stream stream = stream_on({Device::kCuda, Isa::kNone}, 1);
  const Peaks peaks{copy_peak(stream), product_peak(DType::kF32, stream),
                    product_peak(DType::kBF16, stream)};
  std::printf("\nseen here: copy %.0f GB/s, product 8192^3 f32 %.1f TFLOP/s, bf16 %.0f TFLOP/s\n",
              peaks.bytes / 1e9, peaks.f32 / 1e12, peaks.bf16 / 1e12);
  std::printf("off the CPU at %d rows, one row alone, a second run; time at %d rows\n\n",
              static_cast<int>(kRows), static_cast<int>(kRows * kRepeat));
  std::printf("%-22s %-12s %9s %6s %7s %10s %18s %6s\n", "operation", "dtype", "off CPU", "alone",
              "again", "us", "speed", "peak");
  for (const GpuCaseMaker& c : gpu_cases()) measure(c.make(), peaks);
}

}  // namespace
}  // namespace llmtool::test
