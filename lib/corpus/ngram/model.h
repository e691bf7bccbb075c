// n-gram models for scoring: KenLM's binaries (probing and the four kinds of tries), mapped into
// memory, and ARPA files, which are read whole. What a file says is checked before it is used or
// where it is used: a damaged or hostile one is Fault::kInput naming it, or gives wrong numbers,
// but nothing outside it is read and no search runs on for ever.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "lib/base/file.h"
#include "lib/corpus/ngram/ngram_sink.h"

namespace llmtool {

enum class ModelLoading {
  kPopulate,  // mapped, and its pages fetched at once
  kLazy,      // mapped, pages come when they are needed
  kCopy,      // read into memory, in huge pages where the system has them
};

// Sentences one behind the other.
struct NgramText {
  std::vector<NgramWord> words;
  // Of each word, how many before it belong to its sentence, but at most order - 1.
  std::vector<uint8_t> history;

  void clear() {
    words.clear();
    history.clear();
  }
};

class NgramModel {
 public:
  virtual ~NgramModel() = default;

  virtual int order() const = 0;
  virtual uint64_t vocabulary_size() const = 0;  // with <unk>
  virtual std::string_view kind() const = 0;     // "KenLM probing"

  // The number of each word; 0 for one that is unknown.
  virtual void find_words(std::span<const std::string_view> words, NgramWord* numbers) const = 0;

  // log10 p(word | the words before it) for each word of the text: the log10 probability of the
  // longest n-gram of the model that ends in it, and the back-offs of the longer contexts, added up
  // in single precision from the shorter to the longer, as KenLM does.
  virtual void score(const NgramText& text, float* log10_probabilities) const = 0;

  NgramWord find(std::string_view word) const {
    NgramWord number = 0;
    find_words({&word, 1}, &number);
    return number;
  }
};

// By the first bytes. Fault::kInput for what is no model.
std::shared_ptr<const NgramModel> load_ngram_model(const fs::path& path,
                                                   ModelLoading loading = ModelLoading::kPopulate);

}  // namespace llmtool
