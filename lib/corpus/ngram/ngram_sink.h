// An n-gram model on its way from an estimate, or from a file, into a file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace llmtool {

// Word 0 is <unk>; <s> and </s> are words like others.
using NgramWord = uint32_t;

struct Ngram {
  std::span<const NgramWord> words;  // as they stand in the text: the last one is predicted
  float log10_probability = 0;       // <= 0; that of <s> is KenLM's 0 (ARPA files of SRILM: -99)
  float log10_backoff = 0;           // 0 for the highest order
};

class NgramSink {
 public:
  virtual ~NgramSink() = default;
  // words: the vocabulary, by number. counts: n-grams of each order; counts[0] == words.size().
  virtual void begin(const std::vector<std::string>& words,
                     const std::vector<uint64_t>& counts) = 0;
  // All of order 1 in order of their words, then those of order 2, ... in any order, each once. The
  // words before the last, and those behind the first, of an n-gram are n-grams of the model, too.
  virtual void add(const Ngram& ngram) = 0;
  virtual void end() = 0;  // the file is whole, and appears
};

}  // namespace llmtool
