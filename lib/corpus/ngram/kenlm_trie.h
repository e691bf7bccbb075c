// KenLM's tries (its lm/trie.hh, search_trie.hh, quantize.hh, bhiksha.hh): plain, with quantised
// probabilities and back-offs, with the upper bits of pointers in arrays, or both. Words are looked
// up in a sorted array of their hashes; the n-grams that put one word in front of another n-gram
// lie together, sorted by that word, in records of as many bits as they need.
#pragma once

#include <vector>

#include "lib/corpus/ngram/kenlm_format.h"
#include "lib/corpus/ngram/model.h"
#include "lib/corpus/ngram/model_bytes.h"

namespace llmtool {

class KenlmTrie final : public NgramModel {
 public:
  // bytes: a whole file; name: for messages.
  KenlmTrie(std::unique_ptr<const ModelBytes> bytes, KenlmHeader header, std::string name);

  int order() const override { return header_.order(); }
  uint64_t vocabulary_size() const override { return header_.counts[0]; }
  std::string_view kind() const override;
  void find_words(std::span<const std::string_view> words, NgramWord* numbers) const override;
  void score(const NgramText& text, float* log10_probabilities) const override;

 private:
  class Tables;

  // The records of one order: word, probability and back-off, pointer to the next order's.
  struct Records {
    uint64_t offset = 0;  // in the file
    uint64_t count = 0;   // one more is there for its pointer
    uint64_t next_count = 0;
    unsigned word_bits = 0, weight_bits = 0, pointer_bits = 0, record_bits = 0;
    uint64_t array = 0, array_count = 0;       // of the pointers' upper bits
    uint64_t probabilities = 0, backoffs = 0;  // offsets of the quantised values
  };

  bool is_quantised() const;
  bool has_arrays() const;
  void read_quantisation(uint64_t& at);
  void lay_out(uint64_t at);
  void lay_out_array(Records& records, uint64_t& at) const;
  void check_size(uint64_t end) const;
  [[noreturn]] void fail_damaged(const char* what) const;

  NgramWord find_word(uint64_t key) const;
  uint64_t bits(const Records& r, uint64_t bit) const;  // 57 of them at least
  bool find_record(const Records& r, uint64_t begin, uint64_t end, NgramWord word,
                   uint64_t& found) const;
  uint64_t pointer(const Records& r, uint64_t record) const;
  float probability(const Records& r, uint64_t record) const;
  float backoff(const Records& r, uint64_t record) const;

  std::unique_ptr<const ModelBytes> bytes_;
  const std::byte* file_;
  KenlmHeader header_;
  std::string name_;
  uint64_t word_keys_ = 0, word_count_ = 0;  // offset and number of the hashes
  uint64_t unigrams_ = 0;                    // offset
  unsigned probability_bits_ = 0, backoff_bits_ = 0, array_bits_ = 0;
  std::vector<Records> records_;  // of orders 2, 3, ...
};

}  // namespace llmtool
