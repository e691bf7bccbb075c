// The best segmentation of a text under a unigram model (Kudo 2018, arXiv:1804.10959): Viterbi over
// the pieces that match at each position. It adds up and rounds the scores exactly as
// SentencePiece's own encoder does, whose near ties depend on it, so its ids are that encoder's.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "lib/text/sentencepiece_model.h"

namespace llmtool {

class UnigramEncoder {
 public:
  explicit UnigramEncoder(const SentencePieceModel& model);

  struct Best {
    float score;
    int32_t id;     // of the piece that ends here
    int32_t start;  // where it begins; -1: nothing ends here yet
  };
  static constexpr size_t kMaxText = size_t{1} << 30;

  // text is valid UTF-8 of at most kMaxText bytes, without U+2581; its spaces match that of the
  // pieces. Appends to ids; best is scratch memory.
  void encode(std::string_view text, std::vector<Best>& best, std::vector<int32_t>& ids) const;

 private:
  struct Key {
    std::string_view text;
    int32_t id;
  };
  // A node of the trie of all pieces; its child for byte c is base + c if that names it as parent.
  struct Node {
    uint32_t base = 0;
    int32_t parent = -1;
    int32_t id = -1;  // of the piece that ends here
  };

  void build(const std::vector<Key>& keys, uint32_t node, size_t begin, size_t end, size_t depth);
  uint32_t find_base(const std::vector<uint8_t>& labels);
  void search(std::string_view text, std::vector<Best>& best) const;
  void append_unknown(std::string_view character, std::vector<int32_t>& ids) const;

  std::vector<Node> trie_;
  uint32_t first_free_ = 1;
  std::vector<double> scores_;  // by id
  float unknown_score_ = 0;
  int32_t unk_id_ = 0;
  std::vector<int32_t> byte_ids_;  // empty without byte fallback
};

}  // namespace llmtool
