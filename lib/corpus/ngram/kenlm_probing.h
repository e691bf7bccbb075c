// Models in KenLM's probing hash tables: a binary of its, or an ARPA file read into such tables.
#pragma once

#include "lib/corpus/ngram/model.h"
#include "lib/corpus/ngram/model_bytes.h"
#include "lib/corpus/ngram/probing_image.h"

namespace llmtool {

class KenlmProbing final : public NgramModel {
 public:
  // bytes: a whole file; name: for messages.
  KenlmProbing(std::unique_ptr<const ModelBytes> bytes, KenlmHeader header, std::string name,
               std::string_view kind = "KenLM probing");
  static std::shared_ptr<const NgramModel> from_arpa(const fs::path& path);

  int order() const override { return header_.order(); }
  uint64_t vocabulary_size() const override { return header_.counts[0]; }
  std::string_view kind() const override { return kind_; }
  void find_words(std::span<const std::string_view> words, NgramWord* numbers) const override;
  void score(const NgramText& text, float* log10_probabilities) const override;

 private:
  class Tables;

  void check_layout() const;
  NgramWord find_word(uint64_t key) const;
  [[noreturn]] void fail_damaged(const char* what) const;

  std::unique_ptr<const ModelBytes> bytes_;
  const std::byte* file_;
  KenlmHeader header_;
  ProbingLayout layout_;
  std::string name_;
  std::string_view kind_;
};

}  // namespace llmtool
