#include "tests/kernels/op_case.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "lib/base/error.h"
#include "lib/tensor/memory.h"
#include "tests/kernels/amx_emulation.h"

namespace llmtool::test {

std::vector<Lane> available_lanes() {
  std::vector<Lane> lanes;
  for (const Isa isa : available_isas()) lanes.push_back({Device::kCpu, isa});
  if (amx_is_emulated()) lanes = {{Device::kCpu, Isa::kAmx}};
  for (const Device device : available_devices()) {
    if (device != Device::kCpu) lanes.push_back({device, Isa::kNone});
  }
  return lanes;
}

std::string name_of(const Lane& lane) {
  return lane.device == Device::kCpu ? concat("cpu ", llmtool::name_of(lane.isa)) : "cuda";
}

Stream stream_on(const Lane& lane, int threads) {
  static ThreadPool pools[3] = {ThreadPool(1), ThreadPool(2), ThreadPool(3)};
  if (lane.device != Device::kCpu) {
    static const Stream gpu = open_stream(lane.device, pools[0]);
    return gpu;
  }
  Stream stream;
  stream.isa = lane.isa;
  stream.pool = &pools[threads - 1];
  return stream;
}

TestMemory::TestMemory(const std::vector<uint8_t>& content, Stream& stream)
    : size_(content.size()),
      data_(static_cast<uint8_t*>(
                allocate_memory(stream.device, static_cast<int64_t>(content.size()))),
            Free{stream.device}) {
  copy_memory(data_.get(), stream.device, content.data(), Device::kCpu, static_cast<int64_t>(size_),
              stream);
}

void TestMemory::Free::operator()(uint8_t* p) const {
  free_memory(device, p);
}

std::vector<uint8_t> TestMemory::read(Stream& stream) const {
  std::vector<uint8_t> content(size_);
  copy_memory(content.data(), Device::kCpu, data_.get(), stream.device, static_cast<int64_t>(size_),
              stream);
  return content;
}

namespace {

// What lies between rows and around tensors: a NaN in f32, bf16 and f64, so that reading it shows.
constexpr uint8_t kCanary = 0xff;
constexpr int64_t kGuard = 64;  // bytes before and after

// A row at a time: element by element, with the dtype looked at for each, this was most of what
// these tests cost under a sanitizer.
template <class T, class Round>
void encode_as(const double* values, int64_t n, uint8_t* to, Round round) {
  for (int64_t i = 0; i < n; ++i) {
    const T t = round(values[i]);
    std::memcpy(to + i * static_cast<int64_t>(sizeof t), &t, sizeof t);
  }
}

void encode(DType t, const double* values, int64_t n, uint8_t* to) {
  const auto as_float = [](double v) { return static_cast<float>(v); };
  if (t == DType::kF64) encode_as<double>(values, n, to, [](double v) { return v; });
  if (t == DType::kF32) encode_as<float>(values, n, to, as_float);
  if (t == DType::kBF16) {
    encode_as<bf16>(values, n, to, [&](double v) { return to_bf16(as_float(v)); });
  }
  if (t == DType::kI8) {
    encode_as<int8_t>(values, n, to, [](double v) { return static_cast<int8_t>(v); });
  }
}

double decode(DType t, const uint8_t* from) {
  double v = 0;
  float f = 0;
  bf16 h{};
  if (t == DType::kF64) std::memcpy(&v, from, 8);
  if (t == DType::kF32) std::memcpy(&f, from, 4), v = f;
  if (t == DType::kBF16) std::memcpy(&h, from, 2), v = to_float(h);
  if (t == DType::kI8) v = static_cast<int8_t>(*from);
  return v;
}

// A tensor in guarded memory on a device.
class Guarded {
 public:
  Guarded(const Slot& slot, int64_t pad, Stream& stream)
      : slot_(slot), stride_(slot.initial.cols + pad), before_(image()), memory_(before_, stream) {}

  View view() const {
    const Matrix& m = slot_.initial;
    return View{memory_.data() + kGuard, m.rows, m.cols, stride_, slot_.dtype};
  }

  // The elements, row after row; checks all the rest.
  std::vector<uint8_t> elements(Stream& stream, bool may_change) const {
    std::vector<uint8_t> now = memory_.read(stream), elements;
    for (int64_t r = 0; r < slot_.initial.rows; ++r) {
      const auto row = now.begin() + offset(r);
      elements.insert(elements.end(), row, row + row_bytes());
      if (may_change) std::copy_n(before_.begin() + offset(r), row_bytes(), row);
    }
    CHECK_MESSAGE(now == before_, slot_.name << (may_change ? ": written outside of its elements"
                                                            : ": an input was changed"));
    return elements;
  }

 private:
  int64_t row_bytes() const { return slot_.initial.cols * size_of(slot_.dtype); }
  int64_t offset(int64_t r) const { return kGuard + r * stride_ * size_of(slot_.dtype); }

  std::vector<uint8_t> image() const {
    const Matrix& m = slot_.initial;
    std::vector<uint8_t> bytes(static_cast<size_t>(offset(m.rows) + kGuard), kCanary);
    for (int64_t r = 0; r < m.rows; ++r) {
      encode(slot_.dtype, m.values.data() + r * m.cols, m.cols, bytes.data() + offset(r));
    }
    return bytes;
  }

  const Slot& slot_;
  int64_t stride_;
  std::vector<uint8_t> before_;
  TestMemory memory_;
};

int64_t row_count(const OpCase& c) {
  for (const Slot& s : c.slots) {
    if (s.per_row) return s.initial.rows;
  }
  return 1;
}

std::vector<uint8_t> as_bytes(const std::vector<int32_t>& ids) {
  std::vector<uint8_t> bytes(ids.size() * 4);
  if (!ids.empty()) std::memcpy(bytes.data(), ids.data(), bytes.size());
  return bytes;
}

bool shares(const Alias& alias, const std::string& input) {
  return std::any_of(alias.begin(), alias.end(), [&](const auto& a) { return a.second == input; });
}

// The name of the tensor whose memory `output` uses.
std::string home_of(const Alias& alias, const std::string& output) {
  for (const auto& [out, in] : alias) {
    if (out == output) return in;
  }
  return output;
}

// How far `got` is off, as a multiple of what is allowed.
double excess(double got, double want, double units, DType t) {
  if (std::isnan(want)) return std::isnan(got) ? 0 : INFINITY;
  if (std::isinf(want) || std::isinf(got)) return got == want ? 0 : INFINITY;
  if (std::isnan(got)) return INFINITY;
  const double rounding = t == DType::kBF16 ? kUnit16 : t == DType::kF32 ? 2 * kUnit32 : 0x1p-52;
  const double allowed = std::abs(want) * rounding + units * kUnit32 + 2.4e-38;
  return std::abs(got - want) / allowed;
}

void compare_values(const Slot& slot, const std::vector<double>& got, const Matrix& want) {
  REQUIRE(got.size() == want.values.size());
  size_t worst = 0;
  double most = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const double e = excess(got[i], want.values[i], want.error[i], slot.dtype);
    if (e > most) most = e, worst = i;
  }
  if (most <= 1) return;
  const auto cols = static_cast<size_t>(want.cols);
  FAIL_CHECK(slot.name << ": worst at [" << worst / cols << "][" << worst % cols << "]: got "
                       << got[worst] << ", want " << want.values[worst] << ", " << most
                       << " times what is allowed");
}

void check_on(const OpCase& c, const Lane& lane, Values& want) {
  const int64_t n = row_count(c);
  const Result whole = run_case(c, lane, {});
  for (const Slot& s : c.slots) {
    if (s.output && !s.scratch) compare_values(s, whole.values(s.name), want[s.name]);
  }
  compare_bits(c, whole, run_case(c, lane, {.threads = 2}), "2 threads", false);
  compare_bits(c, whole, run_case(c, lane, {.threads = 3, .pad = 19}), "3 threads, padded", false);
  for (const Alias& alias : c.aliases) {
    compare_bits(c, whole, run_case(c, lane, {.threads = 2, .alias = alias}), "in place", false);
  }
  if (!c.row_invariant || n < 2) return;
  compare_bits(c, whole, run_case(c, lane, {.chunk = 1}), "row by row", true);
  compare_bits(c, whole, run_case(c, lane, {.threads = 2, .chunk = 7}), "7 rows a call", true);
}

}  // namespace

double Result::value(const std::string& name, size_t i) const {
  const Output& output = outputs.at(name);
  return decode(output.dtype, &output.bytes[i * static_cast<size_t>(size_of(output.dtype))]);
}

std::vector<double> Result::values(const std::string& name) const {
  const Output& output = outputs.at(name);
  std::vector<double> values(output.bytes.size() / static_cast<size_t>(size_of(output.dtype)));
  for (size_t i = 0; i < values.size(); ++i) values[i] = value(name, i);
  return values;
}

Result run_case(const OpCase& c, const Lane& lane, const RunOptions& options) {
  Stream stream = stream_on(lane, options.threads);
  std::map<std::string, Guarded> tensors;
  for (const Slot& s : c.slots) tensors.try_emplace(s.name, s, options.pad, stream);
  std::map<std::string, TestMemory> ids;
  for (const auto& [name, list] : c.ids) ids.try_emplace(name, as_bytes(list), stream);

  const int64_t n = row_count(c),
                chunk = options.chunk > 0 ? options.chunk : std::max<int64_t>(n, 1);
  for (int64_t begin = 0; begin < std::max<int64_t>(n, 1); begin += chunk) {
    Views views;
    for (const Slot& s : c.slots) {
      const View all = tensors.at(home_of(options.alias, s.name)).view();
      views.put(s.name, s.per_row ? all.slice_rows(begin, std::min(chunk, n - begin)) : all);
    }
    for (const auto& [name, memory] : ids) {
      views.put_ids(name, reinterpret_cast<const int32_t*>(memory.data()) + begin);
    }
    c.call(views, stream);
  }

  Result result;
  for (const Slot& s : c.slots) {
    const bool may_change = s.output || shares(options.alias, s.name);
    const Guarded& home = tensors.at(home_of(options.alias, s.name));
    std::vector<uint8_t> bytes = home.elements(stream, may_change);
    if (s.output) result.outputs[s.name] = {s.dtype, std::move(bytes)};
  }
  return result;
}

void compare_bits(const OpCase& c, const Result& want, const Result& got, const std::string& what,
                  bool rows_only) {
  for (const Slot& slot : c.slots) {
    if (!slot.output || slot.scratch || (rows_only && !slot.per_row && !c.sums_in_row_order))
      continue;
    const auto &a = want.bytes(slot.name), &b = got.bytes(slot.name);
    if (a == b) continue;
    const auto at = std::mismatch(a.begin(), a.end(), b.begin()).first - a.begin();
    const int64_t i = at / size_of(slot.dtype);
    FAIL_CHECK(what << ": other bits of " << slot.name << " at [" << i / slot.initial.cols << "]["
                    << i % slot.initial.cols
                    << "]: " << want.value(slot.name, static_cast<size_t>(i)) << ", then "
                    << got.value(slot.name, static_cast<size_t>(i)));
  }
}

bool has_kernel(const std::string& op, Device device) {
  const std::vector<KernelEntry> all = registered_kernels();
  return std::any_of(all.begin(), all.end(),
                     [&](const KernelEntry& k) { return k.op == op && k.device == device; });
}

void check_case(const OpCase& c) {
  INFO(c.op, ": ", c.about);
  Values want;
  for (const Slot& s : c.slots) want.put(s.name, s.initial);
  c.reference(want);
  for (const Lane& lane : available_lanes()) {
    // Which kernels a GPU has is known to tests/cli/golden.sh; the CPU has them all.
    if (lane.device != Device::kCpu && !has_kernel(c.op, lane.device)) continue;
    INFO("on ", name_of(lane));
    check_on(c, lane, want);
  }
}

double inner(const Matrix& a, const Matrix& b) {
  REQUIRE(a.values.size() == b.values.size());
  double sum = 0;
  for (size_t i = 0; i < a.values.size(); ++i) sum += a.values[i] * b.values[i];
  return sum;
}

void check_gradient(const char* what, Matrix& x, const Matrix& analytic,
                    const std::function<double()>& f) {
  REQUIRE(x.values.size() == analytic.values.size());
  const double h = 1e-5;  // error of the difference: h^2 of truncation, 1e-16 / h of rounding
  for (size_t i = 0; i < x.values.size(); ++i) {
    const double kept = x.values[i];
    x.values[i] = kept + h;
    const double up = f();
    x.values[i] = kept - h;
    const double down = f();
    x.values[i] = kept;
    const double numeric = (up - down) / (2 * h), want = analytic.values[i];
    const double scale = std::max({std::abs(want), std::abs(up), 1.0});
    if (std::abs(numeric - want) > 1e-7 * scale) {
      FAIL_CHECK(what << ": at " << i << " finite differences say " << numeric
                      << ", the gradient is " << want);
      return;
    }
  }
}

TEST_CASE("the table notices an error of twice what is allowed, and only that") {
  CHECK(excess(1 + 4.1 * kUnit32, 1, 2, DType::kF32) > 1);
  CHECK(excess(1 + 3.9 * kUnit32, 1, 2, DType::kF32) < 1);
  CHECK(excess(1 + 1.1 * kUnit16, 1, 0, DType::kBF16) > 1);
  CHECK(excess(1 + 0.9 * kUnit16, 1, 0, DType::kBF16) < 1);
  CHECK(excess(NAN, 1, 2, DType::kF32) > 1);
  CHECK(excess(1, NAN, 2, DType::kF32) > 1);
  CHECK(excess(INFINITY, INFINITY, 0, DType::kF32) <= 1);
  CHECK(excess(-INFINITY, INFINITY, 0, DType::kF32) > 1);
}

}  // namespace llmtool::test
