// The hashes that tell whether two documents, or two pieces of documents, are alike.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/corpus/dedup/normaliser.h"
#include "lib/corpus/dedup/text_pieces.h"
#include "lib/io/document.h"

namespace llmtool {

struct PieceHasherOptions {
  TextUnit unit = TextUnit::kDocument;
  Normalisation normalisation = Normalisation::kNone;
  std::string key;            // the member that is compared instead of the text; documents only
  std::string scope = "all";  // all; folder or file: pieces of different ones are never alike
  uint64_t min_chars = 0;     // pieces of fewer characters, without the white space at their ends,
                              // are not compared
  uint64_t seed = 0;
};

// XXH3, 64 bits, of the normalised text. One thread at a time.
class PieceHasher {
 public:
  explicit PieceHasher(PieceHasherOptions options) : options_(std::move(options)) {}

  static constexpr uint64_t kExempt = 0;  // of a piece that is not compared

  TextUnit unit() const { return options_.unit; }
  // Appends one hash a piece. Fault::kInput if a document lacks the member to compare.
  void hash(const Document& document, std::vector<uint64_t>& hashes);

 private:
  uint64_t hash_of(std::string_view text, uint64_t seed);
  uint64_t seed_of(const Document& document) const;

  PieceHasherOptions options_;
  std::vector<TextPiece> pieces_;
  std::string normalised_;
};

}  // namespace llmtool
