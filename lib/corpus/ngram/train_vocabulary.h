// The words of a text, numbered as they come: <unk>, <s> and </s> are 0, 1 and 2.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/corpus/ngram/ngram_sink.h"

namespace llmtool {

inline constexpr NgramWord kUnknownWord = 0, kSentenceStart = 1, kSentenceEnd = 2;
inline constexpr NgramWord kFirstPlainWord = 3;

// XXH3 of the word's bytes.
uint64_t word_hash(std::string_view word);

class TrainVocabulary {
 public:
  TrainVocabulary();

  // The word's number; a new word gets the next one. Fault::kInput beyond 2^28 words.
  NgramWord find_or_add(std::string_view word, uint64_t hash);
  size_t size() const { return ends_.size(); }
  std::string_view word(NgramWord number) const;
  std::vector<std::string> words() const;

 private:
  struct Slot {
    uint32_t tag = 0;     // of the hash
    uint32_t number = 0;  // plus 1; 0: empty
  };

  void grow();

  std::string bytes_;           // of all words, one behind the other
  std::vector<uint64_t> ends_;  // in bytes_
  std::vector<uint64_t> hashes_;
  std::vector<Slot> slots_;  // a power of two
};

}  // namespace llmtool
