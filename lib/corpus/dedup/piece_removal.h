// Takes pieces out of documents.
#pragma once

#include <vector>

#include "lib/corpus/dedup/text_pieces.h"
#include "lib/corpus/step.h"

namespace llmtool {

class PieceRemoval {
 public:
  PieceRemoval(TextUnit unit, uint64_t min_bytes) : unit_(unit), min_bytes_(min_bytes) {}

  // is_removed has a value for each piece of the text. Tells the tally of the "lines" (...) that
  // went. A document of which nothing but white space is left is rejected by the rule "empty", one
  // with less than min_bytes by "min_bytes".
  void remove(Document& document, const std::vector<bool>& is_removed, Tally& tally);

 private:
  TextUnit unit_;
  uint64_t min_bytes_;
  std::vector<TextPiece> pieces_;
};

}  // namespace llmtool
