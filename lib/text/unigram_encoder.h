// The best segmentation of a text under a unigram model (Kudo 2018, arXiv:1804.10959): Viterbi over
// the pieces that match at each position. It adds up and rounds the scores exactly as
// SentencePiece's own encoder does, whose near ties depend on it, so its ids are that encoder's.
// A text may be given in parts, cut where no piece joins them: what a part needs to know of those
// in front is the score of the best path through them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "lib/text/piece_trie.h"
#include "lib/text/sentencepiece_model.h"
#include "lib/text/unknown_characters.h"

namespace llmtool {

class UnigramEncoder {
 public:
  // The best piece that ends at a byte.
  struct Best {
    float score = 0;  // of the whole path
    int32_t id = -1;
    int32_t start = -1;  // where the piece begins; -1: nothing ends here yet
  };
  // The same in exact sums from the start of the part.
  struct Choice {
    double score = 0;
    double gap = 0;  // to the second best
    int32_t id = -1;
    int32_t start = -1;
  };
  struct Scratch {
    std::vector<Best> best;
    std::vector<Choice> choices;
    std::vector<int32_t> ends;
  };
  static constexpr size_t kMaxPart = size_t{1} << 30;

  explicit UnigramEncoder(const SentencePieceModel& model);

  // Appends the ids of a part of at most kMaxPart bytes, of a text that TextNormalizer wrote and
  // whose ids begin at ids[first]. score: of the best path to its begin; becomes that to its end.
  void encode(std::string_view part, float& score, size_t first, Scratch& scratch,
              std::vector<int32_t>& ids) const;

  // Replaces ids by those of a part that stands behind any score of at most the returned size; -1
  // if they depend on what stands in front. Rounding a sum of n scores errs by at most n halves of
  // its last bit: where the best piece leads by more than that, it is the best behind each score.
  float encode_anywhere(std::string_view part, Scratch& scratch, std::vector<int32_t>& ids) const;

  // The score behind pieces that encode_anywhere() found.
  float score_behind(float score, std::span<const int32_t> ids) const {
    for (const int32_t id : ids) {
      score = static_cast<float>(scores_[static_cast<size_t>(id)] + score);
    }
    return score;
  }

 private:
  template <class Node>
  void search(std::string_view part, std::vector<Node>& nodes) const;
  template <class Node>
  void find_path(const std::vector<Node>& nodes, std::vector<int32_t>& ends) const;

  PieceTrie trie_;
  std::vector<double> scores_;  // by id
  float unknown_score_ = 0;
  int32_t unk_id_;
  UnknownCharacters unknown_;
};

}  // namespace llmtool
