// SentencePiece models behind Tokenizer. A text of a byte-pair or character model is cut into words
// where that cannot change the ids, the library encodes each word once, and its ids are remembered.
// Unigram models have an encoder of ours. Models that rewrite text go to the library as they are.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "lib/text/piece_cache.h"
#include "lib/text/sentencepiece_model.h"
#include "lib/text/tokenizer.h"
#include "lib/text/unigram_encoder.h"
#include "lib/text/word_cutter.h"

namespace sentencepiece {
class SentencePieceProcessor;
}

namespace llmtool {

class SentencePieceTokenizer final : public Tokenizer {
 public:
  // files: what else stood in the tokenizer's folder, by name; save() writes it again.
  explicit SentencePieceTokenizer(SentencePieceModel model,
                                  std::map<std::string, std::string> files = {});
  ~SentencePieceTokenizer() override;

  using Tokenizer::encode;
  void encode(std::string_view text, std::vector<int32_t>& ids) const override;
  std::string decode(std::span<const int32_t> ids) const override;

  int32_t vocab_size() const override { return static_cast<int32_t>(model_.pieces.size()); }
  int32_t bos_id() const override { return model_.bos_id; }
  int32_t eos_id() const override { return model_.eos_id; }
  int32_t unk_id() const override { return model_.unk_id; }
  std::string piece(int32_t id) const override { return at(id).text; }
  PieceKind piece_kind(int32_t id) const override { return at(id).kind; }
  std::string_view piece_bytes(int32_t id) const override;
  float score(int32_t id) const override { return at(id).score; }
  std::string_view kind() const override;
  std::string checksum() const override;
  void save(const fs::path& folder) const override;

  // The library's answer for the whole text at once: what encode() must equal.
  std::vector<int32_t> encode_whole(std::string_view text) const;

 private:
  struct Scratch;
  class ScratchLease;

  const SentencePieceModel::Piece& at(int32_t id) const;
  void encode_spaced(std::string_view text, std::vector<int32_t>& ids) const;
  void encode_words(std::string_view text, Scratch& scratch, std::vector<int32_t>& ids) const;
  void append_word(std::string_view word, size_t first, Scratch& scratch,
                   std::vector<int32_t>& ids) const;

  SentencePieceModel model_;
  std::map<std::string, std::string> files_;
  std::vector<std::string> piece_bytes_;  // by id
  std::unique_ptr<sentencepiece::SentencePieceProcessor> whole_;
  // For words: the library without the space in front of a text. Null if texts are not cut.
  std::unique_ptr<sentencepiece::SentencePieceProcessor> words_;
  std::unique_ptr<WordCutter> cutter_;
  std::unique_ptr<UnigramEncoder> unigram_;

  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Scratch>> idle_;  // one per call that ran at the same time
};

}  // namespace llmtool
