// A SentencePiece .model file (the protobuf ModelProto), read and checked before use: what passes
// can be used without undefined behaviour, in bounded time and memory.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/text/tokenizer.h"

namespace llmtool {

struct SentencePieceModel {
  struct Piece {
    std::string text;
    float score = 0;
    PieceKind kind = PieceKind::kNormal;
  };
  enum class Type { kUnigram, kBpe, kChar };

  Type type = Type::kUnigram;
  std::vector<Piece> pieces;
  int32_t unk_id = -1, bos_id = -1, eos_id = -1;
  bool byte_fallback = false;
  std::array<int32_t, 256> byte_ids{};  // with byte fallback
  bool add_dummy_prefix = false;
  bool remove_extra_whitespaces = false;
  bool escape_whitespaces = true;  // the pieces write U+2581 for a space
  bool space_as_suffix = false;
  std::string unk_surface;  // what an unknown piece decodes to

  std::string charsmap;  // rules by which text is rewritten, without a problem (Charsmap)

  std::string bytes;  // the file

  // The piece as it stands in a text that TextNormalizer wrote. Nothing for a piece that no text
  // can hold: one with a space where spaces are written as U+2581.
  std::optional<std::string> spaced_text(const Piece& piece) const;
};

// name: of the file, for messages. Throws Fault::kInput.
SentencePieceModel parse_sentencepiece_model(std::string bytes, std::string_view name);

}  // namespace llmtool
