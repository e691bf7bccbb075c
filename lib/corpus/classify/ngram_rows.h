// Which rows of a fastText model's input matrix stand for a text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/corpus/classify/model_file.h"

namespace llmtool {

class NgramRows {
 public:
  // The views of the model live longer than this. Fault::kInput for a dictionary whose words were
  // made to collide.
  NgramRows(const ModelFile& model, std::string_view name);

  // Appends the rows of the text as one line, in fastText's order: for each word its own and those
  // of its n-grams of characters, then n-grams of words. word, hashes: memory to use.
  void append(std::string_view text, std::string& word, std::vector<uint32_t>& hashes,
              std::vector<int32_t>& rows) const;

 private:
  struct Slot {
    uint32_t key = 0;
    int32_t row = -1;  // -1: empty
  };

  void add_entry(std::string_view text, int32_t row, std::string_view name);
  void add_kept(const std::vector<std::pair<int32_t, int32_t>>& kept, std::string_view name);
  int32_t find_entry(std::string_view word, uint32_t hash) const;
  uint32_t bucket_of(uint32_t hash) const;
  void append_bucket(uint32_t bucket, std::vector<int32_t>& rows) const;
  void append_characters(std::string_view bracketed, std::vector<int32_t>& rows) const;
  void append_word(std::string& word, std::vector<uint32_t>& hashes,
                   std::vector<int32_t>& rows) const;
  void append_word_ngrams(const std::vector<uint32_t>& hashes, std::vector<int32_t>& rows) const;

  int32_t words_ = 0, word_ngrams_ = 1;
  uint32_t buckets_ = 0;
  uint64_t reciprocal_ = 0;  // ceil(2^64 / buckets_)
  size_t min_chars_ = 0, max_chars_ = 0;
  bool pruned_ = false;
  std::vector<std::string_view> entries_;  // words, then labels
  std::vector<Slot> dictionary_;           // by hash of the word; its size is a power of two
  std::vector<Slot> kept_;                 // by bucket
  std::vector<uint64_t> filter_;           // a bit for each hash of a kept bucket
};

}  // namespace llmtool
