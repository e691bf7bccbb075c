// Byte-pair encoding as SentencePiece does it (Sennrich et al. 2016, arXiv:1508.07909): a text is
// cut into characters and user-defined symbols; of all neighbours that join to a piece, those with
// the highest score are joined first, of equal ones the leftmost; user-defined symbols are left
// alone. An unused piece is taken apart again into what it was made of. Character models are the
// same without joining.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lib/text/merge_rules.h"
#include "lib/text/piece_trie.h"
#include "lib/text/sentencepiece_model.h"
#include "lib/text/unknown_characters.h"

namespace llmtool {

class BpeEncoder {
 public:
  // A part of the text: its code in MergeRules, or what follows.
  struct Symbol {
    static constexpr int32_t kUnknown = -1;  // a character of no piece
    // A user-defined symbol is kFrozen - id.
    static constexpr int32_t kFrozen = -2;

    int32_t code;
    uint32_t start;  // in the text
  };
  struct Candidate {
    uint64_t order;  // rank, then position: the smallest is joined first
    int32_t left_code, right_code, joined;
    uint32_t right;
  };
  using Pair = std::pair<int32_t, int32_t>;
  struct Scratch {
    std::vector<Symbol> symbols;
    std::vector<uint32_t> previous, next;
    std::vector<Candidate> heap;
    std::vector<int32_t> stack;
    std::unordered_map<int32_t, Pair> made_of;  // unused pieces: of what they could be made last
  };
  static constexpr size_t kMaxPart = size_t{1} << 31;

  explicit BpeEncoder(const SentencePieceModel& model);

  // Appends the ids of a part of a text that TextNormalizer wrote and whose ids begin at
  // ids[first]; no piece joins the part to the rest. False, and ids as they were, if the ids depend
  // on the rest of the text: of an unused piece that can be made in several ways the library uses
  // the way that it saw last, anywhere.
  bool encode_part(std::string_view part, size_t first, Scratch& scratch,
                   std::vector<int32_t>& ids) const;
  // The same for a whole text.
  void encode_whole(std::string_view text, Scratch& scratch, std::vector<int32_t>& ids) const;

 private:
  using Splits = std::unordered_map<int32_t, Pair>;

  void read_symbols(std::string_view text, std::vector<Symbol>& symbols) const;
  size_t join_few(Symbol* symbols, size_t count) const;
  size_t join_many(Symbol* symbols, size_t count, Scratch& scratch, bool remember) const;
  size_t join_run(Symbol* symbols, size_t count, Scratch& scratch) const;
  bool append(const Symbol& symbol, std::string_view text, size_t first, const Splits& splits,
              Scratch& scratch, std::vector<int32_t>& ids) const;
  bool append_unused(int32_t code, size_t first, const Splits& splits, Scratch& scratch,
                     std::vector<int32_t>& ids) const;

  MergeRules rules_;
  PieceTrie user_symbols_;
  UnknownCharacters unknown_;
};

}  // namespace llmtool
