// Texts as sentences of words for an n-gram model, and what the model says of them.
//
// Words are what stands between white space of ASCII, or the pieces of a SentencePiece tokenizer
// as the vocabulary spells them (unknown ones as they stand in the text; white space as
// piece_word() of train_text.h spells it where the model knows that, else it is left out). A
// sentence is a line with a word in it, or the whole text; the model sees it between <s> and </s>.
// Its log10 probability is the sum of those of its words and of </s> in single precision, as
// KenLM's score() and query add them; that of a text is the sum of its sentences' in double
// precision.
#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/corpus/ngram/ccnet_normaliser.h"
#include "lib/corpus/ngram/model.h"
#include "lib/text/tokenizer.h"

namespace llmtool {

struct TextScore {
  double log10_probability = 0;
  uint64_t words = 0;  // without </s>
  uint64_t unknown = 0;
  uint64_t sentences = 0;

  // With one </s> for each sentence: 10^(-log10_probability / (words + sentences)).
  double perplexity() const {
    return std::pow(10.0, -log10_probability / static_cast<double>(words + sentences));
  }
};

struct TextScoring {
  NgramNormaliser normaliser = NgramNormaliser::kNone;
  bool whole_text = false;  // one sentence, not one a line
};

class TextScorer {
 public:
  // tokenizer: or none.
  TextScorer(std::shared_ptr<const NgramModel> model, std::shared_ptr<const Tokenizer> tokenizer,
             TextScoring scoring, std::string name);

  // Buffers of one thread.
  struct Workspace {
    std::string normalised;
    std::vector<int32_t> ids;
    std::vector<std::string> pieces;
    std::vector<std::string_view> words;
    std::vector<NgramWord> numbers;
    std::vector<size_t> sentence_ends;  // in numbers
    NgramText text;
    std::vector<float> scores;
  };

  // No sentences if there is no word. Fault::kInput, naming the model, if it gives a probability
  // that is no number.
  TextScore score(std::string_view text, Workspace& work) const;
  // Of each line alone, also of those without a word.
  std::vector<TextScore> score_lines(std::string_view text, Workspace& work) const;

  const NgramModel& model() const { return *model_; }

 private:
  static constexpr NgramWord kNoWord = ~NgramWord{0};

  void add_sentence(std::string_view text, Workspace& work) const;
  void add_lines(std::string_view text, bool empty_too, Workspace& work) const;
  void add_pieces(std::string_view text, Workspace& work) const;
  void lay_out(Workspace& work) const;
  template <class F>
  void score_sentences(Workspace& work, F&& take) const;

  std::shared_ptr<const NgramModel> model_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  TextScoring scoring_;
  std::string name_;
  NgramWord begin_, end_;
  std::vector<NgramWord> piece_words_;  // by id; kNoWord for pieces that are white space
};

}  // namespace llmtool
