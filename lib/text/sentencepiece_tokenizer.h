// SentencePiece models behind Tokenizer, all of them by the same path: the text is rewritten as the
// model asks, cut into words where that cannot change the ids, and the ids of each word are found
// once and remembered. They are those of SentencePiece's own encoder (0.1.97).
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "lib/text/bpe_encoder.h"
#include "lib/text/piece_cache.h"
#include "lib/text/sentencepiece_model.h"
#include "lib/text/text_normalizer.h"
#include "lib/text/tokenizer.h"
#include "lib/text/unigram_encoder.h"
#include "lib/text/word_cutter.h"

namespace llmtool {

class SentencePieceTokenizer final : public Tokenizer {
 public:
  // files: what else stood in the tokenizer's folder, by name; save() writes it again.
  explicit SentencePieceTokenizer(SentencePieceModel model,
                                  std::map<std::string, std::string> files = {});
  ~SentencePieceTokenizer() override;

  using Tokenizer::encode;
  void encode(std::string_view text, std::vector<int32_t>& ids) const override;
  std::vector<std::string> encode_pieces(std::string_view text) const override;
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

 private:
  struct Scratch;
  class ScratchLease;

  const SentencePieceModel::Piece& at(int32_t id) const;
  void encode_bpe(Scratch& scratch, std::vector<int32_t>& ids) const;
  bool append_word(std::string_view word, size_t first, Scratch& scratch,
                   std::vector<int32_t>& ids) const;
  void encode_unigram(Scratch& scratch, std::vector<int32_t>& ids) const;
  void append_part(std::string_view part, float& score, size_t first, Scratch& scratch,
                   std::vector<int32_t>& ids) const;

  SentencePieceModel model_;
  std::map<std::string, std::string> files_;
  std::vector<std::string> piece_bytes_;  // by id
  TextNormalizer normalizer_;
  WordCutter cutter_;
  std::unique_ptr<UnigramEncoder> unigram_;  // or
  std::unique_ptr<BpeEncoder> bpe_;          // for byte-pair and character models

  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Scratch>> idle_;  // one per call that ran at the same time
};

}  // namespace llmtool
