// KenLM's probing binary, as its `build_binary probing` writes it from the same n-grams in the same
// order, byte for byte.
#pragma once

#include <memory>
#include <optional>

#include "lib/base/file.h"
#include "lib/corpus/ngram/probing_image.h"

namespace llmtool {

// A new file of a known size that is filled in any order through a map of it: pages that do not fit
// into memory go to the disk. It appears under its name with commit(), else not at all.
class MappedOutput {
 public:
  MappedOutput(fs::path path, uint64_t size);
  ~MappedOutput();
  MappedOutput(const MappedOutput&) = delete;
  MappedOutput& operator=(const MappedOutput&) = delete;

  std::byte* data() const { return data_; }  // zeros at first
  void commit();

 private:
  void remove();

  fs::path path_, temporary_;
  int fd_ = -1;
  std::byte* data_ = nullptr;
  uint64_t size_;
};

struct KenlmProbingOptions {
  float multiplier = 1.5f;  // buckets per n-gram, above 1
};

// The file appears with end(). Order 1 is Fault::kUsage: KenLM has no such binaries.
class KenlmProbingSink final : public NgramSink {
 public:
  explicit KenlmProbingSink(fs::path path, KenlmProbingOptions options = {});
  ~KenlmProbingSink() override;

  void begin(const std::vector<std::string>& words, const std::vector<uint64_t>& counts) override;
  void add(const Ngram& ngram) override { builder_->add(ngram); }
  void end() override;

 private:
  fs::path path_;
  KenlmProbingOptions options_;
  std::unique_ptr<MappedOutput> file_;
  std::optional<ProbingBuilder> builder_;
};

}  // namespace llmtool
