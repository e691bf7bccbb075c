// The labelled texts of a training: some to learn from, in an order drawn by the seed, some held
// out to measure on.
#pragma once

#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/file.h"
#include "lib/corpus/classify/letters.h"

namespace llmtool {

class TrainingSet {
 public:
  // held_out: the share of texts, by the XXH3 hash of seed and prepared text, that are not learnt:
  // equal texts are on the same side. Files lie in the folder, which exists.
  TrainingSet(fs::path folder, double held_out, uint64_t seed);

  // The place of a label, which is new or not. Fault::kInput for one that is empty, has white
  // space, or is the 65,536th.
  uint32_t label(std::string_view name);
  const std::vector<std::string>& labels() const { return labels_; }

  // A prepared text; one without a word is left out and counted.
  void add(uint32_t label, std::string_view prepared);
  void finish();  // after the last

  struct Text {
    uint64_t hash = 0, offset = 0;
    uint32_t length = 0, label = 0;
  };
  // In the order of their hashes.
  const std::vector<Text>& learnt() const { return learnt_; }
  const std::vector<Text>& held_out() const { return held_out_; }
  std::string_view text(const Text& text) const;
  uint64_t empty() const { return empty_; }

  // Writes the lines that train_classifier() reads.
  void write_training_file(const fs::path& path) const;

 private:
  fs::path path_;
  double share_;
  uint64_t seed_, size_ = 0, empty_ = 0;
  std::vector<std::string> labels_;
  std::vector<Text> learnt_, held_out_;
  std::ofstream file_;
  std::unique_ptr<MappedFile> texts_;
};

}  // namespace llmtool
