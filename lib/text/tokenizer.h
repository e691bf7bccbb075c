// Tokenizers: text to ids and back. Thread-safe once loaded.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/file.h"

namespace llmtool {

enum class PieceKind { kNormal, kUnknown, kControl, kUserDefined, kByte, kUnused };

std::string_view name_of(PieceKind kind);

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // Plain text to ids: no BOS, no EOS, and the spelling of a control piece in the text is text.
  // Appends to ids. text must be valid UTF-8.
  virtual void encode(std::string_view text, std::vector<int32_t>& ids) const = 0;
  std::vector<int32_t> encode(std::string_view text) const;
  // The same as the pieces are spelt; an unknown one as it stands in the (normalised) text.
  virtual std::vector<std::string> encode_pieces(std::string_view text) const;

  // The bytes that ids stand for; control pieces (BOS, EOS, padding) stand for nothing. With byte
  // fallback a prefix of ids may end inside a UTF-8 character.
  virtual std::string decode(std::span<const int32_t> ids) const = 0;

  virtual int32_t vocab_size() const = 0;
  virtual int32_t bos_id() const = 0;               // -1: none
  virtual int32_t eos_id() const = 0;               // -1: none
  virtual int32_t unk_id() const = 0;               // -1: none
  virtual std::string piece(int32_t id) const = 0;  // as the vocabulary spells it
  virtual PieceKind piece_kind(int32_t id) const = 0;
  // The bytes that the piece stands for inside a text; empty for control pieces.
  virtual std::string_view piece_bytes(int32_t id) const = 0;
  virtual float score(int32_t id) const = 0;  // log-probability or merge rank, as the file has it
  virtual std::string_view kind() const = 0;  // "sentencepiece-bpe", ...
  // Of what makes the ids: equal checksums mean equal ids.
  virtual std::string checksum() const = 0;

  // Writes the tokenizer's own files into a model folder.
  virtual void save(const fs::path& folder) const = 0;
};

// path: a SentencePiece .model file, or a folder that holds tokenizer.model. A file that is
// damaged, hostile or of another kind is Fault::kInput.
std::shared_ptr<const Tokenizer> load_tokenizer(const fs::path& path);

}  // namespace llmtool
