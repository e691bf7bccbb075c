#include "lib/corpus/ngram/text_scorer.h"

#include <algorithm>

#include "lib/base/error.h"
#include "lib/corpus/ngram/train_text.h"

namespace llmtool {
namespace {

bool is_ascii_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

template <class F>
void for_each_word(std::string_view text, F&& f) {
  for (size_t at = 0; at < text.size();) {
    while (at < text.size() && is_ascii_space(text[at])) ++at;
    const size_t begin = at;
    while (at < text.size() && !is_ascii_space(text[at])) ++at;
    if (at > begin) f(text.substr(begin, at - begin));
  }
}

template <class F>
void for_each_line(std::string_view text, F&& f) {
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    f(text.substr(at, end - at));
    at = end + 1;
  }
}

}  // namespace

TextScorer::TextScorer(std::shared_ptr<const NgramModel> model,
                       std::shared_ptr<const Tokenizer> tokenizer, TextScoring scoring,
                       std::string name)
    : model_(std::move(model)),
      tokenizer_(std::move(tokenizer)),
      scoring_(scoring),
      name_(std::move(name)),
      begin_(model_->find("<s>")),
      end_(model_->find("</s>")) {
  if (!tokenizer_) return;
  piece_words_.resize(static_cast<size_t>(tokenizer_->vocab_size()));
  for (int32_t id = 0; id < tokenizer_->vocab_size(); ++id) {
    const std::string piece = tokenizer_->piece(id);
    const bool is_space = !piece.empty() && std::ranges::all_of(piece, is_ascii_space);
    const NgramWord word = model_->find(piece_word(*tokenizer_, id));
    piece_words_[static_cast<size_t>(id)] = word == 0 && is_space ? kNoWord : word;
  }
}

TextScore TextScorer::score(std::string_view text, Workspace& work) const {
  work.numbers.clear();
  work.sentence_ends.clear();
  if (scoring_.whole_text) {
    add_sentence(text, work);
    if (work.numbers.empty()) work.sentence_ends.clear();
  } else {
    add_lines(text, false, work);
  }
  TextScore sum;
  score_sentences(work, [&](const TextScore& s) {
    sum.log10_probability += s.log10_probability;
    sum.words += s.words;
    sum.unknown += s.unknown;
    ++sum.sentences;
  });
  return sum;
}

std::vector<TextScore> TextScorer::score_lines(std::string_view text, Workspace& work) const {
  work.numbers.clear();
  work.sentence_ends.clear();
  add_lines(text, true, work);
  std::vector<TextScore> lines;
  score_sentences(work, [&](const TextScore& s) { lines.push_back(s); });
  return lines;
}

void TextScorer::add_lines(std::string_view text, bool empty_too, Workspace& work) const {
  for_each_line(text, [&](std::string_view line) {
    const size_t before = work.numbers.size();
    add_sentence(line, work);
    if (!empty_too && work.numbers.size() == before) work.sentence_ends.pop_back();
  });
}

void TextScorer::add_sentence(std::string_view text, Workspace& work) const {
  if (scoring_.normaliser != NgramNormaliser::kNone) {
    normalise_for_ngrams(text, scoring_.normaliser, work.normalised);
    text = work.normalised;
  }
  if (tokenizer_) {
    add_pieces(text, work);
  } else {
    work.words.clear();
    for_each_word(text, [&](std::string_view word) { work.words.push_back(word); });
    const size_t before = work.numbers.size();
    work.numbers.resize(before + work.words.size());
    model_->find_words(work.words, work.numbers.data() + before);
  }
  work.sentence_ends.push_back(work.numbers.size());
}

void TextScorer::add_pieces(std::string_view text, Workspace& work) const {
  work.ids.clear();
  tokenizer_->encode(text, work.ids);
  const int32_t unknown = tokenizer_->unk_id();
  if (std::ranges::find(work.ids, unknown) == work.ids.end()) {
    for (const int32_t id : work.ids) {
      const NgramWord word = piece_words_[static_cast<size_t>(id)];
      if (word != kNoWord) work.numbers.push_back(word);
    }
    return;
  }
  work.pieces = tokenizer_->encode_pieces(text);
  work.words.clear();
  for (const std::string& piece : work.pieces) {
    for_each_word(piece, [&](std::string_view word) { work.words.push_back(word); });
  }
  const size_t before = work.numbers.size();
  work.numbers.resize(before + work.words.size());
  model_->find_words(work.words, work.numbers.data() + before);
}

void TextScorer::lay_out(Workspace& work) const {
  NgramText& text = work.text;
  text.clear();
  const int longest = model_->order() - 1;
  size_t at = 0;
  const auto put = [&](NgramWord word, size_t before) {
    text.words.push_back(word);
    text.history.push_back(static_cast<uint8_t>(std::min<size_t>(before, longest)));
  };
  for (const size_t end : work.sentence_ends) {
    put(begin_, 0);
    const size_t first = at;
    for (; at < end; ++at) put(work.numbers[at], at - first + 1);
    put(end_, end - first + 1);
  }
  work.scores.resize(text.words.size());
}

template <class F>
void TextScorer::score_sentences(Workspace& work, F&& take) const {
  lay_out(work);
  model_->score(work.text, work.scores.data());
  size_t first = 0, at = 0;
  for (const size_t end : work.sentence_ends) {
    TextScore s;
    s.sentences = 1;
    s.words = end - first;
    ++at;  // <s>
    float sum = 0;
    for (size_t i = first; i < end; ++i, ++at) {
      s.unknown += work.numbers[i] == 0;
      sum += work.scores[at];
    }
    sum += work.scores[at++];
    first = end;
    check(std::isfinite(sum), Fault::kInput, name_,
          ": damaged: a probability or a back-off is no number");
    s.log10_probability = double{sum};
    take(s);
  }
}

}  // namespace llmtool
