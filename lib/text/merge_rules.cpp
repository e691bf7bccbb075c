#include "lib/text/merge_rules.h"

#include <algorithm>
#include <bit>
#include <unordered_set>

#include "lib/base/error.h"
#include "lib/text/code_points.h"

namespace llmtool {
namespace {

constexpr size_t kMaxRules = size_t{1} << 27;

bool is_one_character(std::string_view text) {
  return sequence_length(static_cast<unsigned char>(text[0])) == text.size();
}

}  // namespace

MergeRules::MergeRules(const SentencePieceModel& model)
    : piece_count_(static_cast<int32_t>(model.pieces.size())),
      unused_(model.pieces.size()),
      one_character_(model.pieces.size()),
      neighbours_(kNeighbourBits / 64),
      page_codes_(256, -1) {
  const std::vector<Piece> pieces = read_pieces(model);
  const bool joins = model.type == SentencePieceModel::Type::kBpe;
  if (joins) name_characters(pieces);
  if (joins) add_rules(pieces);
}

// The pieces that a text can turn into, user-defined symbols left out.
std::vector<MergeRules::Piece> MergeRules::read_pieces(const SentencePieceModel& model) {
  std::vector<float> scores;
  for (const auto& piece : model.pieces) scores.push_back(piece.score);
  std::sort(scores.begin(), scores.end(), std::greater<>());
  scores.erase(std::unique(scores.begin(), scores.end()), scores.end());
  std::vector<Piece> pieces;
  for (int32_t id = 0; id < piece_count_; ++id) {
    const auto& piece = model.pieces[static_cast<size_t>(id)];
    if (piece.kind != PieceKind::kNormal && piece.kind != PieceKind::kUnused) continue;
    auto text = model.spaced_text(piece);
    if (!text) continue;
    if (piece.kind == PieceKind::kUnused && model.type == SentencePieceModel::Type::kBpe) {
      unused_[static_cast<size_t>(id)] = true;
    }
    size_t at = 0;
    if (is_one_character(*text)) {
      set_code(next_code_point(*text, at), id);
      one_character_[static_cast<size_t>(id)] = true;
    }
    const auto rank =
        std::lower_bound(scores.begin(), scores.end(), piece.score, std::greater<>()) -
        scores.begin();
    pieces.push_back({std::move(*text), id, static_cast<uint32_t>(rank)});
  }
  return pieces;
}

void MergeRules::set_code(uint32_t character, int32_t code) {
  uint32_t& page = pages_[character >> 8];
  if (page == 0) {
    page = static_cast<uint32_t>(page_codes_.size());
    page_codes_.resize(page_codes_.size() + 256, -1);
  }
  page_codes_[page + (character & 0xff)] = code;
}

// Gives a code to each character of the pieces, and notes which stand side by side.
void MergeRules::name_characters(const std::vector<Piece>& pieces) {
  for (const Piece& piece : pieces) {
    int32_t left = -1;
    for (size_t at = 0; at < piece.text.size();) {
      const size_t begin = at;
      const uint32_t character = next_code_point(piece.text, at);
      if (code_of(character) < 0) {
        set_code(character, piece_count_ + static_cast<int32_t>(characters_.size()));
        characters_.push_back(piece.text.substr(begin, at - begin));
      }
      const int32_t code = code_of(character);
      if (left >= 0) {
        const size_t bit = neighbour_bit(left, code);
        neighbours_[bit / 64] |= uint64_t{1} << (bit % 64);
      }
      left = code;
    }
  }
}

// Each way to put a piece together from two symbols is a rule.
void MergeRules::add_rules(const std::vector<Piece>& pieces) {
  std::unordered_map<std::string_view, int32_t> codes;
  codes.reserve(pieces.size() + characters_.size());
  for (const Piece& piece : pieces) codes.emplace(piece.text, piece.id);
  for (size_t i = 0; i < characters_.size(); ++i) {
    codes.emplace(characters_[i], piece_count_ + static_cast<int32_t>(i));
  }
  std::vector<Entry> entries;
  std::unordered_set<int32_t> several;
  for (const Piece& piece : pieces) {
    const std::string_view text = piece.text;
    for (size_t at = sequence_length(static_cast<unsigned char>(text[0])); at < text.size();
         at += sequence_length(static_cast<unsigned char>(text[at]))) {
      const auto left = codes.find(text.substr(0, at));
      if (left == codes.end()) continue;
      const auto right = codes.find(text.substr(at));
      if (right == codes.end()) continue;
      const Rule rule{piece.rank, piece.id};
      entries.push_back({key_of(left->second, right->second), rule});
      check(entries.size() <= kMaxRules, Fault::kInput, "the tokenizer has more than ", kMaxRules,
            " ways to join its pieces");
      if (!is_unused(piece.id)) continue;
      const bool first = only_splits_.emplace(piece.id, Pair{left->second, right->second}).second;
      if (!first) several.insert(piece.id);
    }
  }
  for (const int32_t id : several) only_splits_.erase(id);
  fill_table(entries);
}

void MergeRules::fill_table(const std::vector<Entry>& entries) {
  if (entries.empty()) return;
  const size_t slots = std::bit_ceil(2 * entries.size());
  shift_ = 64 - std::countr_zero(slots);
  table_.resize(slots);
  for (const Entry& entry : entries) {
    size_t slot = slot_of(entry.key);
    while (table_[slot].key != kEmpty) slot = (slot + 1) & (slots - 1);
    table_[slot] = entry;
  }
}

}  // namespace llmtool
