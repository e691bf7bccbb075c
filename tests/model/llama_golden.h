// The goldens of tests/golden/llama_tiny*/ (make_llama_tiny.py says what is in them), and batches
// cut out of them.
#pragma once

#include <algorithm>
#include <cmath>
#include <doctest/doctest.h>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "lib/base/device.h"
#include "lib/base/threads.h"
#include "lib/io/safetensors.h"
#include "lib/model/model.h"
#include "lib/tensor/memory.h"

namespace llmtool {

inline const char* const kGoldenModels[] = {"llama_tiny", "llama_tiny_untied", "llama_tiny_llama3"};

class Golden {
 public:
  explicit Golden(const std::string& name)
      : folder_(fs::path(LLMTOOL_SOURCE_DIR) / "tests/golden" / name),
        file_(folder_ / "golden.safetensors") {}

  const fs::path& folder() const { return folder_; }
  std::vector<int64_t> shape(const std::string& name) const { return file_.at(name).shape; }
  std::vector<float> floats(const std::string& name) const {
    std::vector<float> out(static_cast<size_t>(file_.at(name).count()));
    read_as_f32(file_.at(name), out.data());
    return out;
  }
  std::vector<int32_t> ints(const std::string& name) const {
    const TensorInfo& t = file_.at(name);
    REQUIRE(t.dtype == DType::kI32);
    const auto* p = reinterpret_cast<const int32_t*>(t.data);
    return {p, p + t.count()};
  }

 private:
  fs::path folder_;
  SafetensorsFile file_;
};

// Tokens of several sequences, one after another, each from position 0.
struct OwnedBatch {
  std::vector<int32_t> ids, positions, targets;
  std::vector<AttentionSequence> sequences;

  TokenBatch view() const { return {ids, positions, targets, sequences}; }
  int64_t tokens() const { return static_cast<int64_t>(ids.size()); }
  int64_t target_count() const {
    return std::count_if(targets.begin(), targets.end(),
                         [](int32_t t) { return t != kIgnoredTarget; });
  }
};

inline OwnedBatch make_batch(std::vector<int32_t> ids, std::vector<int32_t> targets,
                             const std::vector<int32_t>& lengths) {
  OwnedBatch b{std::move(ids), {}, std::move(targets), {}};
  for (const int32_t n : lengths) {
    const auto begin = static_cast<int64_t>(b.positions.size());
    for (int32_t p = 0; p < n; ++p) b.positions.push_back(p);
    b.sequences.push_back({begin, n, begin, n});
  }
  REQUIRE(b.positions.size() == b.ids.size());
  return b;
}

// "batch" and "train" have rows of one length, "packed" one row of documents; `step` of "train".
inline OwnedBatch golden_batch(const Golden& golden, const std::string& part, int64_t step = 0) {
  auto ids = golden.ints(part + ".input_ids"), targets = golden.ints(part + ".targets");
  const auto shape = golden.shape(part + ".input_ids");
  if (part == "packed") return make_batch(ids, targets, golden.ints("packed.document_lengths"));
  const int64_t rows = shape[shape.size() - 2], length = shape.back(), n = rows * length;
  const auto cut = [&](const std::vector<int32_t>& v) {
    return std::vector<int32_t>(v.begin() + step * n, v.begin() + (step + 1) * n);
  };
  return make_batch(cut(ids), cut(targets),
                    std::vector<int32_t>(static_cast<size_t>(rows), static_cast<int32_t>(length)));
}

// A model of a golden folder and what it runs on.
class GoldenModel {
 public:
  GoldenModel(const Golden& golden, DType dtype, Isa isa, int threads = 2)
      : pool_(threads), stream_(open_stream(Device::kCpu, pool_)) {
    stream_.isa = isa;
    model_ = load_model(golden.folder(), dtype, stream_);
  }
  ~GoldenModel() { close_stream(stream_); }

  Model* operator->() { return model_.get(); }
  Stream& stream() { return stream_; }

  // Mean loss over the targets; with gradients, those of this batch alone.
  double mean_loss(const OwnedBatch& batch) {
    std::vector<float> losses(batch.ids.size());
    const auto n = static_cast<double>(batch.target_count());
    const View g = model_->parameters().all_gradients();
    std::fill_n(g.row<float>(0), g.count(), 0.0f);
    model_->loss(batch.view(), losses, static_cast<float>(1 / n), stream_);
    return std::accumulate(losses.begin(), losses.end(), 0.0) / n;
  }
  // Logits of every token, through a cache that lies as the batch does.
  std::vector<float> logits(const OwnedBatch& batch) {
    std::vector<int64_t> rows(batch.ids.size());
    std::iota(rows.begin(), rows.end(), 0);
    model_->reserve_inference(batch.tokens(), batch.tokens());
    KvCache cache(model_->config(), model_->parameters().dtype(), batch.tokens(), Device::kCpu);
    std::vector<float> out(rows.size() * static_cast<size_t>(model_->config().vocab_size));
    model_->forward_cached(batch.view(), cache, rows, out, stream_);
    return out;
  }
  std::vector<float> gradient(const std::string& name) {
    const View v = model_->parameters().gradient(index(name));
    return {v.row<float>(0), v.row<float>(0) + v.count()};
  }
  std::vector<float> weight(const std::string& name) {
    const View v = model_->parameters().weight(index(name));
    return {v.row<float>(0), v.row<float>(0) + v.count()};
  }

 private:
  int index(const std::string& name) {
    const int i = model_->parameters().find(name);
    REQUIRE(i >= 0);
    return i;
  }

  ThreadPool pool_;
  Stream stream_;
  std::unique_ptr<Model> model_;
};

// Largest difference as a part of the largest element of `want`; infinite for a NaN.
inline double largest_difference(const std::vector<float>& got, const std::vector<float>& want) {
  REQUIRE(got.size() == want.size());
  double off = 0, most = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    if (!std::isfinite(got[i])) return INFINITY;
    off = std::max(off, std::abs(static_cast<double>(got[i]) - want[i]));
    most = std::max(most, std::abs(static_cast<double>(want[i])));
  }
  return off / most;
}

// |got - want| / |want| of the vectors.
inline double relative_distance(const std::vector<float>& got, const std::vector<float>& want) {
  REQUIRE(got.size() == want.size());
  double off = 0, norm = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    off += std::pow(static_cast<double>(got[i]) - want[i], 2);
    norm += std::pow(static_cast<double>(want[i]), 2);
  }
  return std::sqrt(off / norm);
}

}  // namespace llmtool
