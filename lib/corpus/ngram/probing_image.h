// The hash tables of KenLM's probing models (its lm/search_hashed.hh, util/probing_hash_table.hh),
// laid out one behind the other as they are in a file: the vocabulary, the words' own numbers, a
// table for each order between the first and the last, and one for the last.
//
// Keys lie at key modulo buckets or behind it (around the end) with no gap between; key 0 is a gap.
// A set sign bit of a probability means that no longer n-gram ends in this one, and a back-off of
// -0 that none begins with it.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lib/corpus/ngram/kenlm_format.h"

namespace llmtool {

inline constexpr size_t kVocabularyHead = 8;    // version, number of words
inline constexpr size_t kVocabularyEntry = 12;  // key, number
inline constexpr size_t kUnigramEntry = 8;      // log10 probability, back-off
inline constexpr size_t kMiddleEntry = 16;      // key, log10 probability, back-off
inline constexpr size_t kLongestEntry = 12;     // key, log10 probability

struct ProbingTable {
  uint64_t offset = 0;  // in the file
  uint64_t buckets = 0;
  uint64_t inverse = 0;  // 2^64 / buckets

  // key % buckets: the product falls short of the quotient by 1 at most.
  uint64_t place(uint64_t key) const {
    const auto quotient =
        static_cast<uint64_t>(static_cast<unsigned __int128>(key) * inverse >> 64);
    const uint64_t rest = key - quotient * buckets;
    return rest >= buckets ? rest - buckets : rest;
  }
};

struct ProbingLayout {
  ProbingTable vocabulary;
  uint64_t unigrams = 0;             // offset
  std::vector<ProbingTable> tables;  // of orders 2, 3, ...; the last has kLongestEntry
  uint64_t end = 0;                  // where the words begin

  explicit ProbingLayout(const KenlmHeader& header);
};

// Puts n-grams into the tables of an image. An n-gram whose words behind the first are no n-gram of
// the model (SRILM prunes so) gets that as KenLM makes it up: with the probability it would have by
// backing off. One whose words before the last are none is Fault::kInput.
class ProbingBuilder {
 public:
  // image: layout.end zero bytes that stay where they are; name: of the model, for messages.
  ProbingBuilder(std::byte* image, const KenlmHeader& header, std::string name);

  void set_words(const std::vector<std::string>& words);
  void add(const Ngram& ngram);
  void finish();  // all were added

 private:
  struct Pending {
    size_t words;  // its first, in pending_words_
    int order;
    float probability, backoff;
  };

  std::byte* entry(int order, uint64_t place) const;
  std::byte* find(int order, uint64_t key) const;  // null: there is none
  std::byte* insert(int order, uint64_t key);
  std::byte* unigram_backoff(NgramWord word) const;
  void add_unigram(const Ngram& ngram);
  void insert_pending();
  void insert_ngram(const Pending& p);
  void mark_prefix(const NgramWord* words, int order);
  void mark_suffix(const NgramWord* words, const uint64_t* keys, int order);
  // Those that are missing between the one of length basis, which has this probability, and order.
  void make_up(const NgramWord* words, const uint64_t* keys, int basis, float probability,
               int order);

  std::byte* image_;
  KenlmHeader header_;
  ProbingLayout layout_;
  std::string name_;
  std::vector<uint64_t> entries_;  // in each table
  std::vector<uint64_t> added_;    // of each order
  std::vector<Pending> pending_;
  std::vector<NgramWord> pending_words_;
};

}  // namespace llmtool
