// A SentencePiece .model file (the protobuf ModelProto), read and checked before the library sees
// it: what passes can be loaded and used without undefined behaviour or an abort.
#pragma once

#include <cstdint>
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
  bool add_dummy_prefix = false;
  bool remove_extra_whitespaces = false;
  // Text goes to the pieces unchanged but for spaces, which become U+2581.
  bool identity_normalization = false;
  bool space_as_suffix = false;
  std::string unk_surface;  // what an unknown piece decodes to

  std::string bytes;  // the file
};

// name: of the file, for messages. Throws Fault::kInput.
SentencePieceModel parse_sentencepiece_model(std::string bytes, std::string_view name);

// The same model without the space in front of a text, as a file.
std::string without_dummy_prefix(const SentencePieceModel& model);

}  // namespace llmtool
