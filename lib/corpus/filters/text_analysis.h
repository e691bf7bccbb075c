// What the rules measure a text by, found when it is first asked for and then kept until the text
// changes. Its memory is used again for the next text; one of these for each thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/corpus/filters/repeats.h"
#include "lib/corpus/filters/words.h"

namespace llmtool {

class TextAnalysis {
 public:
  // The text must live as long as the analysis is asked about it.
  void reset(std::string_view text);

  std::string_view text() const { return text_; }
  size_t characters();  // code points
  const std::vector<Word>& words(WordKind kind);
  uint64_t word_count(WordKind kind);  // without the words, if nobody asked for them yet

  // What a family of rules measures in one pass over the text: fill(*this, variant, figures) is
  // called once for each text; T is made once and used again.
  template <class T>
  const T& once(void (*fill)(TextAnalysis&, int variant, T&), int variant) {
    using Key = void (*)();
    const Key key = reinterpret_cast<Key>(fill);
    Kept<T>* found = nullptr;
    for (const auto& kept : kept_) {
      if (kept->key == key && kept->variant == variant) found = static_cast<Kept<T>*>(kept.get());
    }
    if (found == nullptr) {
      auto made = std::make_unique<Kept<T>>();
      made->key = key;
      made->variant = variant;
      found = made.get();
      kept_.push_back(std::move(made));
    }
    if (found->text_number != text_number_) {
      fill(*this, variant, found->value);
      found->text_number = text_number_;
    }
    return found->value;
  }

  // Memory that every rule may use while it measures.
  WordSplitter& splitter() { return splitter_; }
  KeySet& seen() { return seen_; }
  KeyCounts& counts() { return counts_; }

 private:
  struct KeptBase {
    void (*key)() = nullptr;
    int variant = 0;
    uint64_t text_number = 0;
    virtual ~KeptBase() = default;
  };
  template <class T>
  struct Kept : KeptBase {
    T value;
  };

  std::string_view text_;
  uint64_t text_number_ = 0;
  size_t characters_ = 0;
  bool has_characters_ = false;
  std::vector<Word> words_[2];
  bool has_words_[2] = {false, false};
  WordSplitter splitter_;
  KeySet seen_;
  KeyCounts counts_;
  std::vector<std::unique_ptr<KeptBase>> kept_;
};

}  // namespace llmtool
