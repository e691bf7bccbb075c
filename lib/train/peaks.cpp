#include "lib/train/peaks.h"

#include <algorithm>
#include <chrono>

#include "kernels/machine/peak.h"

namespace llmtool {
namespace {

template <class F>
double time_of(F&& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

bool has_kernel(const Op<RegisterPeak>& op, const Stream& stream) {
  const auto entries = registered_kernels();
  return std::any_of(entries.begin(), entries.end(), [&](const KernelEntry& e) {
    return std::string_view(e.op) == op.name && e.device == stream.device && e.isa <= stream.isa;
  });
}

double register_rate(const Op<RegisterPeak>& op, Stream& stream, int64_t iterations = 500'000) {
  if (!has_kernel(op, stream)) return 0;
  double operations = 0;
  const double seconds = time_of([&] { op({iterations, &operations}, stream); });
  return operations / seconds;
}

// What Peaks::flops(unit) is chosen from beside f32.
void measure_units(DType unit, Peaks& p, Stream& stream) {
  if (unit == DType::kBF16) {
    p.bf16_dot = register_rate(bf16_dot_peak, stream);
    p.bf16_tile = register_rate(bf16_tile_peak, stream);
  } else if (unit == DType::kI8) {
    p.int8_dot = register_rate(int8_dot_peak, stream);
    p.int8_tile = register_rate(int8_tile_peak, stream);
  }
}

}  // namespace

double measure_flops(DType unit, Stream& stream) {
  Peaks p;
  p.f32 = register_rate(f32_peak, stream);
  measure_units(unit, p, stream);
  return p.flops(unit);
}

bool tells_share_of_cores(const Stream& stream) {
  return has_kernel(bf16_full_tiles_peak, stream);
}

double share_of_cores(Stream& stream) {
  constexpr int64_t kIterations = 8'000;  // 0.2 ms: calm moments are short
  const double best = register_rate(bf16_tile_peak, stream, kIterations);
  return std::min(register_rate(bf16_full_tiles_peak, stream, kIterations) / best, 1.0);
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double Peaks::flops(DType unit) const {
  if (unit == DType::kBF16) return std::max({f32, bf16_dot, bf16_tile});
  return unit == DType::kI8 ? std::max({f32, int8_dot, int8_tile}) : f32;
}

double Peaks::memory_seconds(const Cost& cost) const {
  const double per_read = 1 / read;
  const double per_written = std::max(2 / update - per_read, 0.0);
  return std::max(cost.read * per_read + cost.written * per_written,
                  cost.bytes() / std::max(read, update));
}

bool Peaks::bound_by_memory(const Cost& cost) const {
  return memory_seconds(cost) > cost.flops / flops(cost.unit);
}

double Peaks::seconds(const Cost& cost) const {
  return std::max(memory_seconds(cost), cost.flops / flops(cost.unit));
}

PeakMeter::PeakMeter(int64_t memory_bytes, Stream& stream)
    : stream_(&stream), memory_(stream.device, memory_bytes) {
  zero_memory(memory_.data(), stream.device, memory_.bytes(), stream);  // its pages are there
}

void PeakMeter::measure() {
  Peaks p;
  p.f32 = register_rate(f32_peak, *stream_);
  for (const DType unit : {DType::kBF16, DType::kI8}) measure_units(unit, p, *stream_);
  auto* data = reinterpret_cast<float*>(memory_.data());
  const ReadPeak reading{data, memory_.bytes() / 4, &data[0]};
  p.read = reading.cost().read / time_of([&] { read_peak(reading, *stream_); });
  const int64_t n = memory_.bytes() / 16 / 16 * 16;  // floats of a stream, whole cache lines
  const UpdatePeak updating{data, data + n, data + 2 * n, data + 3 * n, n};
  p.update = updating.cost().bytes() / time_of([&] { update_peak(updating, *stream_); });
  rounds_.push_back(p);
}

Peaks PeakMeter::medians() const {
  const auto of = [&](double Peaks::*figure) {
    std::vector<double> values;
    for (const Peaks& p : rounds_) values.push_back(p.*figure);
    return median(std::move(values));
  };
  Peaks p;
  for (const auto figure : {&Peaks::f32, &Peaks::bf16_dot, &Peaks::bf16_tile, &Peaks::int8_dot,
                            &Peaks::int8_tile, &Peaks::read, &Peaks::update}) {
    p.*figure = of(figure);
  }
  return p;
}

}  // namespace llmtool
