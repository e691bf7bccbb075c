// SentencePiece writes what it does to stderr. It has one switch for the whole process.
#pragma once

namespace llmtool {

enum class SentencePieceLog { kInfo = 0, kFatal = 3 };

void set_sentencepiece_log(SentencePieceLog level);

}  // namespace llmtool
