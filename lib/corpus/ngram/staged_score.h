// Scoring order by order: which n-grams end in a word does not depend on what is found for the
// words before it. So of a block of words all bigrams are looked up, then the trigrams of those
// words whose bigram was found, and so on, each entry being fetched while others are looked at.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "lib/base/error.h"
#include "lib/corpus/ngram/kenlm_format.h"
#include "lib/corpus/ngram/model.h"

namespace llmtool {

// What a lookup found.
struct NgramEntry {
  float probability = 0, backoff = 0;
  bool extends = false;  // a longer n-gram may end in this one
};

// Tables:
//   Cursor                                      where the next longer n-gram is looked for
//   order()
//   fetch_unigram(word)                         into the cache
//   unigram(word, Cursor&) -> NgramEntry
//   fetch(Cursor&, order, word)                 puts `word` in front; into the cache
//   find(Cursor&, order, word, NgramEntry&) -> bool
template <class Tables>
class StagedScore {
 public:
  explicit StagedScore(const Tables& tables) : tables_(tables) {}

  void score(const NgramText& text, float* out) {
    LLMTOOL_ASSERT(text.history.size() == text.words.size());
    for (size_t begin = 0; begin < text.words.size(); begin += kBlock) {
      score_block(text, begin, std::min(kBlock, text.words.size() - begin), out + begin);
    }
  }

 private:
  static constexpr size_t kBlock = 128;

  // One word: the longest n-gram that ends in it, and the back-offs of all of them by length - 1.
  struct Found {
    float probability;
    uint8_t length;    // of the longest
    uint8_t backoffs;  // how many there are
    std::array<float, kMaxNgramOrder> backoff;
  };

  void score_block(const NgramText& text, size_t begin, size_t count, float* out) {
    const NgramWord* words = text.words.data() + begin;
    const uint8_t* history = text.history.data() + begin;
    for (size_t i = 0; i < count; ++i) tables_.fetch_unigram(words[i]);
    size_t alive = 0;
    for (size_t i = 0; i < count; ++i) {
      LLMTOOL_ASSERT(history[i] <= begin + i);
      const NgramEntry e = tables_.unigram(words[i], cursors_[i]);
      Found& found = found_[i + 1];
      found.probability = e.probability;
      found.backoff[0] = e.backoff;
      found.length = found.backoffs = 1;
      if (!e.extends || history[i] == 0 || tables_.order() < 2) continue;
      tables_.fetch(cursors_[i], 2, words[static_cast<ptrdiff_t>(i) - 1]);
      alive_[alive++] = static_cast<uint16_t>(i);
    }
    for (int order = 2; alive > 0; ++order) alive = find_order(order, words, history, alive);
    for (size_t i = 0; i < count; ++i) out[i] = with_backoffs(found_[i], found_[i + 1], history[i]);
    found_[0] = found_[count];
  }

  // Returns how many words go on with the next order.
  size_t find_order(int order, const NgramWord* words, const uint8_t* history, size_t alive) {
    size_t left = 0;
    for (size_t a = 0; a < alive; ++a) {
      const size_t i = alive_[a];
      const ptrdiff_t at = static_cast<ptrdiff_t>(i);
      NgramEntry e;
      if (!tables_.find(cursors_[i], order, words[at - order + 1], e)) continue;
      Found& found = found_[i + 1];
      found.probability = e.probability;
      found.length = static_cast<uint8_t>(order);
      if (order == tables_.order()) continue;
      found.backoff[static_cast<size_t>(order - 1)] = e.backoff;
      found.backoffs = static_cast<uint8_t>(order);
      if (!e.extends || history[i] < order) continue;
      tables_.fetch(cursors_[i], order + 1, words[at - order]);
      alive_[left++] = static_cast<uint16_t>(i);
    }
    return left;
  }

  static float with_backoffs(const Found& before, const Found& found, int history) {
    float sum = found.probability;
    const int longest = std::min<int>(before.backoffs, history);
    for (int n = found.length; n <= longest; ++n) sum += before.backoff[static_cast<size_t>(n - 1)];
    return sum;
  }

  const Tables& tables_;
  std::array<Found, kBlock + 1> found_{};  // the word before the block, and those of the block
  std::array<typename Tables::Cursor, kBlock> cursors_;
  std::array<uint16_t, kBlock> alive_;
};

}  // namespace llmtool
