#include "lib/train/optimizer.h"

#include <cmath>
#include <cstring>

#include "kernels/elementwise/elementwise.h"
#include "kernels/optim/adamw.h"
#include "kernels/optim/squared_norm.h"
#include "lib/base/error.h"

namespace llmtool {

Optimizer::Optimizer(Parameters& parameters, const AdamWOptions& options, Stream& stream)
    : parameters_(&parameters), options_(options) {
  const int64_t block = parameters.size() * size_of(DType::kF32);
  m_ = Buffer(parameters.device(), block);
  v_ = Buffer(parameters.device(), block);
  norm_ = Buffer(parameters.device(), size_of(DType::kF64));
  if (parameters.dtype() == DType::kF32) return;
  master_ = Buffer(parameters.device(), block);
  const View all = parameters.all_weights();
  convert({.y = View{master_.data(), 1, all.cols, all.cols, DType::kF32}, .x = all}, stream);
}

int64_t Optimizer::bytes(const Parameters& parameters, DType dtype) {
  return parameters.size() * size_of(DType::kF32) * (dtype == DType::kF32 ? 2 : 3);
}

double Optimizer::gradient_norm(Stream& stream) {
  zero_memory(norm_.data(), norm_.device(), norm_.bytes(), stream);
  squared_norm({.out = View{norm_.data(), 1, 1, 1, DType::kF64}, .x = parameters_->all_gradients()},
               stream);
  double sum = 0;
  copy_memory(&sum, Device::kCpu, norm_.data(), norm_.device(), norm_.bytes(), stream);
  synchronize(stream);
  return std::sqrt(sum);
}

void Optimizer::update(int64_t step, double learning_rate, double norm, Stream& stream) {
  const bool clips = options_.clip > 0 && norm > options_.clip;
  const double scale = clips ? options_.clip / norm : 1.0;
  const auto row = [](View v) { return View{v.data, 1, v.count(), v.count(), v.dtype}; };
  parameters_->weights_changed();
  for (size_t i = 0; i < parameters_->list().size(); ++i) {
    const int index = static_cast<int>(i);
    const View w = row(parameters_->weight(index));
    const auto state = [&](const Buffer& b) {
      return row(parameters_->in_block(b.data(), DType::kF32, index));
    };
    adamw({.w = w,
           .master = parameters_->dtype() == DType::kF32 ? w : state(master_),
           .m = state(m_),
           .v = state(v_),
           .g = row(parameters_->gradient(index)),
           .step = step,
           .lr = static_cast<float>(learning_rate),
           .beta1 = static_cast<float>(options_.beta1),
           .beta2 = static_cast<float>(options_.beta2),
           .eps = static_cast<float>(options_.eps),
           .weight_decay =
               parameters_->list()[i].vector ? 0.0f : static_cast<float>(options_.weight_decay),
           .grad_scale = static_cast<float>(scale)},
          stream);
  }
}

void Optimizer::save(const fs::path& path, Stream& stream) const {
  std::vector<TensorToWrite> tensors;
  std::vector<std::vector<char>> host;
  const auto add_block = [&](const char* prefix, const Buffer& block) {
    host.push_back(download(block, stream));
    const auto more = parameters_->to_write(host.back().data(), DType::kF32, prefix);
    tensors.insert(tensors.end(), more.begin(), more.end());
  };
  add_block("m.", m_);
  add_block("v.", v_);
  if (master_.data() != nullptr) add_block("master.", master_);
  write_safetensors(path, tensors);
}

void Optimizer::load_block(const SafetensorsFile& file, const char* prefix, const Buffer& to,
                           Stream& stream) {
  std::vector<float> values(static_cast<size_t>(parameters_->size()));
  for (const Parameter& p : parameters_->list()) {
    const TensorInfo& t = file.at(prefix + p.name);
    check(t.dtype == DType::kF32 && t.count() == p.count(), Fault::kInput, file.path().string(),
          ": '", prefix, p.name, "' is ", t.shape_text(), " ", name_of(t.dtype),
          ", the model needs ", p.count(), " elements of f32");
    std::memcpy(values.data() + p.offset, t.data, static_cast<size_t>(t.bytes));
  }
  copy_memory(to.data(), to.device(), values.data(), Device::kCpu, to.bytes(), stream);
}

void Optimizer::load(const fs::path& path, Stream& stream) {
  const SafetensorsFile file(path);
  load_block(file, "m.", m_, stream);
  load_block(file, "v.", v_, stream);
  if (master_.data() != nullptr) load_block(file, "master.", master_, stream);
}

}  // namespace llmtool
