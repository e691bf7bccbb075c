#include "lib/corpus/filters/text_analysis.h"

#include "lib/corpus/filters/characters.h"

namespace llmtool {

void TextAnalysis::reset(std::string_view text) {
  // What a large document needed is given back.
  if (text_.size() > (size_t{1} << 23)) {
    kept_.clear();
    for (std::vector<Word>& words : words_) words = {};
    seen_ = {};
    counts_ = {};
  }
  text_ = text;
  ++text_number_;
  has_characters_ = has_words_[0] = has_words_[1] = false;
}

size_t TextAnalysis::characters() {
  if (!has_characters_) characters_ = count_characters(text_);
  has_characters_ = true;
  return characters_;
}

const std::vector<Word>& TextAnalysis::words(WordKind kind) {
  const auto i = static_cast<size_t>(kind);
  if (!has_words_[i]) {
    words_[i].clear();
    splitter_.split(text_, kind, words_[i]);
    has_words_[i] = true;
  }
  return words_[i];
}

uint64_t TextAnalysis::word_count(WordKind kind) {
  const auto i = static_cast<size_t>(kind);
  return has_words_[i] ? words_[i].size() : splitter_.count(text_, kind);
}

}  // namespace llmtool
