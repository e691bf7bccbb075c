#include "lib/corpus/sample_step.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <queue>

#include "lib/base/error.h"
#include "lib/text/document_sample.h"

namespace llmtool {
namespace {

constexpr const char* kRule = "sample.not_drawn";

// Of the id as well: copies of a text are drawn apart from each other.
uint64_t drawing_hash(const Document& document, uint64_t seed) {
  return document_hash(document.text, document_hash(document.id, seed));
}

class FractionStep final : public Step {
 public:
  explicit FractionStep(const SampleOptions& options) : options_(options) {}
  std::string name() const override { return "sample"; }

  void work(Document& document, Tally&, int) override {
    const uint64_t hash = drawing_hash(document, options_.seed);
    if (std::ldexp(static_cast<double>(hash >> 11), -53) < options_.fraction) return;
    reject(document, kRule);
  }

 private:
  SampleOptions options_;
};

// Writes down the hash of each document.
class HashLog final : public Step {
 public:
  explicit HashLog(uint64_t seed) : seed_(seed) {}
  std::string name() const override { return "sample"; }
  void start(StepResources& resources) override { log_ = &resources.log("hashes"); }
  void work(Document& document, Tally&, int) override {
    document.keys = {drawing_hash(document, seed_)};
  }
  bool in_order() const override { return true; }
  void decide(Document& document, Tally&) override { log_->append(document.keys.data(), 8); }

 private:
  uint64_t seed_;
  AppendLog* log_ = nullptr;
};

class CountStep final : public Step {
 public:
  explicit CountStep(const SampleOptions& options) : options_(options), log_(options.seed) {}
  std::string name() const override { return "sample"; }
  Step* observer() override { return &log_; }

  void conclude(StepResources& resources) override {
    AppendLog& hashes = resources.log("hashes");
    hashes.flush();
    const MappedFile log(hashes.path());  // not a stream, which takes some first bytes for gzip's
    std::priority_queue<std::pair<uint64_t, uint64_t>> smallest;  // (hash, index)
    for (uint64_t index = 0; index < log.bytes().size() / sizeof(uint64_t); ++index) {
      uint64_t hash = 0;
      std::memcpy(&hash, log.bytes().data() + index * sizeof hash, sizeof hash);
      smallest.emplace(hash, index);
      if (smallest.size() > options_.count) smallest.pop();
    }
    std::vector<uint64_t> drawn;
    for (; !smallest.empty(); smallest.pop()) drawn.push_back(smallest.top().second);
    std::ranges::sort(drawn);
    write_file(resources.folder / "drawn",
               {reinterpret_cast<const char*>(drawn.data()), drawn.size() * 8});
  }

  void start(StepResources& resources) override {
    const std::string bytes = read_file(resources.folder / "drawn");
    drawn_.resize(bytes.size() / 8);
    if (!drawn_.empty()) std::memcpy(drawn_.data(), bytes.data(), drawn_.size() * 8);
  }

  void work(Document& document, Tally&, int) override {
    if (!std::ranges::binary_search(drawn_, document.index)) reject(document, kRule);
  }

 private:
  SampleOptions options_;
  HashLog log_;
  std::vector<uint64_t> drawn_;  // indices, rising
};

}  // namespace

std::unique_ptr<Step> make_sample_step(const SampleOptions& options) {
  check((options.count > 0) != (options.fraction > 0), Fault::kUsage,
        "a sample needs either a count or a fraction");
  if (options.count > 0) return std::make_unique<CountStep>(options);
  return std::make_unique<FractionStep>(options);
}

}  // namespace llmtool
