// Training of SentencePiece models with LLaMA's settings: identity normalisation, every space, line
// break and tab kept, byte fallback, digits apart, <unk> <s> </s> at 0, 1, 2 and no padding piece.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace llmtool {

struct SentencePieceTraining {
  std::string model = "bpe";  // bpe, unigram or char
  int vocab_size = 32000;     // all pieces; for char the most it may have
  double character_coverage = 0.99995;
  int max_piece_length = 16;  // characters
  bool byte_fallback = true;
  bool split_digits = true;
  bool add_dummy_prefix = false;
  std::vector<std::string> user_defined_symbols =
      {};                                         // always one piece, wherever they stand in a text
  std::vector<std::string> control_symbols = {};  // one piece that no text can spell
};

// The library's trainer adds up floats in as many parts as it has threads: the number is fixed, so
// that the model does not depend on the machine or on --threads.
inline constexpr int kSentencePieceThreads = 16;

// stage: "merging", "pruning", ...; pieces: how many there are by now.
using TrainingProgress = std::function<void(std::string_view stage, int64_t pieces)>;

// The .model file. documents are valid UTF-8. The library works in a child process: what it cannot
// cope with comes back as an error and never ends this one. Throws Fault::kInput if the text does
// not give vocab_size pieces, Fault::kInterrupted when asked to stop.
std::string train_sentencepiece(const SentencePieceTraining& options,
                                std::span<const std::string> documents,
                                const TrainingProgress& progress = {});

// Where a document is cut into the trainer's sentences: behind runs of line breaks, and in front of
// a space where a line is longer than kMaxSentence. begin < text.size().
inline constexpr size_t kMaxSentence = 8192;  // bytes; the trainer aborts at words above 65,535
size_t end_of_sentence(std::string_view text, size_t begin);

}  // namespace llmtool
