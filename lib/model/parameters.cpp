#include "lib/model/parameters.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "lib/base/error.h"
#include "lib/base/rng.h"

namespace llmtool {
namespace {

constexpr int64_t kAlignment = 64;  // elements: 128 bytes of bf16, 256 of f32

std::vector<int64_t> file_shape(const Parameter& p) {
  return p.vector ? std::vector<int64_t>{p.cols} : std::vector<int64_t>{p.rows, p.cols};
}

void upload(const View& to, const void* from, Device device, Stream& stream) {
  copy_memory(to.data, device, from, Device::kCpu, to.count() * size_of(to.dtype), stream);
}

void fill_normal(std::vector<float>& values, const Parameter& p, uint64_t seed,
                 const Stream& stream) {
  const Rng rng(seed, stream_id(p.name.c_str()));
  constexpr int64_t kGrain = 16384;
  stream.parallel_for(p.count(), kGrain, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      const double x = p.init_std == 0 ? 1.0 : p.init_std * rng.normal(static_cast<uint64_t>(i));
      values[static_cast<size_t>(i)] = static_cast<float>(x);
    }
  });
}

}  // namespace

Parameters::Parameters(std::vector<Parameter> list) : list_(std::move(list)) {
  for (Parameter& p : list_) {
    if (!p.follows) size_ = (size_ + kAlignment - 1) / kAlignment * kAlignment;
    p.offset = size_;
    size_ += p.count();
  }
  size_ = (size_ + kAlignment - 1) / kAlignment * kAlignment;
}

int64_t Parameters::count() const {
  int64_t n = 0;
  for (const Parameter& p : list_) n += p.count();
  return n;
}

int Parameters::find(const std::string& name) const {
  for (size_t i = 0; i < list_.size(); ++i) {
    if (list_[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

void Parameters::allocate_weights(DType dtype, Device device) {
  dtype_ = dtype;
  device_ = device;
  weights_ = Buffer(device, size_ * size_of(dtype));
  weights_changed();
}

void Parameters::allocate_gradients() {
  gradients_ = Buffer(device_, size_ * size_of(DType::kF32));
}

View Parameters::view(char* block, DType dtype, int index, int count) const {
  const Parameter& first = list_[static_cast<size_t>(index)];
  int64_t rows = 0;
  for (int i = index; i < index + count; ++i) {
    const Parameter& p = list_[static_cast<size_t>(i)];
    LLMTOOL_ASSERT(p.cols == first.cols && (i == index || p.follows));
    rows += p.rows;
  }
  return View{block + first.offset * size_of(dtype), rows, first.cols, first.cols, dtype};
}

void Parameters::initialize(uint64_t seed, Stream& stream) {
  weights_changed();
  std::vector<float> values;
  std::vector<bf16> rounded;
  for (size_t i = 0; i < list_.size(); ++i) {
    values.resize(static_cast<size_t>(list_[i].count()));
    fill_normal(values, list_[i], seed, stream);
    const View w = weight(static_cast<int>(i));
    if (dtype_ == DType::kF32) {
      upload(w, values.data(), device_, stream);
      continue;
    }
    rounded.resize(values.size());
    std::transform(values.begin(), values.end(), rounded.begin(),
                   [](float v) { return to_bf16(v); });
    upload(w, rounded.data(), device_, stream);
  }
}

void Parameters::load(const SafetensorsFolder& folder, const std::vector<std::string>& ignored,
                      Stream& stream) {
  weights_changed();
  std::set<std::string> unknown;
  for (const std::string& name : folder.names()) unknown.insert(name);
  for (const std::string& name : ignored) unknown.erase(name);
  std::vector<float> values;
  std::vector<bf16> rounded;
  for (size_t i = 0; i < list_.size(); ++i) {
    const Parameter& p = list_[i];
    const TensorInfo* t = folder.find(p.name);
    check(t != nullptr, Fault::kInput, folder.file_of(p.name), ": the tensor '", p.name,
          "' is missing");
    TensorInfo expected{t->dtype, file_shape(p), nullptr, 0};
    check(t->shape == expected.shape, Fault::kInput, folder.file_of(p.name), ": '", p.name, "' is ",
          t->shape_text(), ", config.json says ", expected.shape_text());
    check(t->dtype == DType::kF32 || t->dtype == DType::kBF16 || t->dtype == DType::kF16,
          Fault::kInput, folder.file_of(p.name), ": '", p.name, "' is of ", name_of(t->dtype),
          ", expected f32, bf16 or f16");
    unknown.erase(p.name);
    const View w = weight(static_cast<int>(i));
    if (dtype_ == DType::kF32) {
      values.resize(static_cast<size_t>(p.count()));
      read_as_f32(*t, values.data());
      upload(w, values.data(), device_, stream);
    } else {
      rounded.resize(static_cast<size_t>(p.count()));
      read_as_bf16(*t, rounded.data());
      upload(w, rounded.data(), device_, stream);
    }
  }
  check(unknown.empty(), Fault::kInput, unknown.empty() ? "" : folder.file_of(*unknown.begin()),
        ": the tensor '", unknown.empty() ? "" : *unknown.begin(),
        "' is not one of this model's: is config.json the right one?");
}

std::vector<TensorToWrite> Parameters::to_write(const char* block, DType dtype,
                                                const std::string& prefix) const {
  std::vector<TensorToWrite> tensors;
  for (const Parameter& p : list_) {
    tensors.push_back({prefix + p.name, dtype, file_shape(p), block + p.offset * size_of(dtype)});
  }
  return tensors;
}

std::vector<char> download(const Buffer& block, Stream& stream) {
  std::vector<char> host(static_cast<size_t>(block.bytes()));
  copy_memory(host.data(), Device::kCpu, block.data(), block.device(), block.bytes(), stream);
  synchronize(stream);
  return host;
}

}  // namespace llmtool
