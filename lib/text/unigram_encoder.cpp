#include "lib/text/unigram_encoder.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <limits>

#include "lib/base/error.h"
#include "lib/text/code_points.h"

namespace llmtool {
namespace {

// SentencePiece's constants (unigram_model.cc).
constexpr float kUnknownPenalty = 10.0f;
constexpr double kSymbolPenalty = 0.1;

// A piece that ends at target, of a path with this score.
void offer(UnigramEncoder::Best& target, double score, int32_t id, size_t start) {
  if (target.start >= 0 && score <= target.score) return;
  target = {static_cast<float>(score), id, static_cast<int32_t>(start)};
}

void offer(UnigramEncoder::Choice& target, double score, int32_t id, size_t start) {
  if (target.start < 0) {
    target = {score, std::numeric_limits<double>::infinity(), id, static_cast<int32_t>(start)};
  } else if (score > target.score) {
    target = {score, score - target.score, id, static_cast<int32_t>(start)};
  } else {
    target.gap = std::min(target.gap, target.score - score);
  }
}

}  // namespace

UnigramEncoder::UnigramEncoder(const SentencePieceModel& model)
    : unk_id_(model.unk_id), unknown_(model) {
  float lowest = FLT_MAX, highest = FLT_MIN;
  for (const auto& p : model.pieces) {
    if (p.kind != PieceKind::kNormal) continue;
    lowest = std::min(lowest, p.score);
    highest = std::max(highest, p.score);
  }
  unknown_score_ = lowest - kUnknownPenalty;

  std::vector<PieceTrie::Key> keys;
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    const auto& p = model.pieces[id];
    const bool symbol = p.kind == PieceKind::kUserDefined;
    scores_.push_back(symbol ? static_cast<float>(p.text.size()) * highest - kSymbolPenalty
                             : double{p.score});
    if (p.kind != PieceKind::kNormal && !symbol) continue;
    if (auto text = model.spaced_text(p)) {
      keys.push_back({std::move(*text), static_cast<int32_t>(id)});
    }
  }
  trie_ = PieceTrie(std::move(keys));
}

template <class Node>
void UnigramEncoder::search(std::string_view part, std::vector<Node>& nodes) const {
  for (size_t start = 0; start < part.size();) {
    const auto before = nodes[start].score;
    const size_t next = start + sequence_length(static_cast<unsigned char>(part[start]));
    bool has_character = false;
    uint32_t node = PieceTrie::kRoot;
    for (size_t at = start; at < part.size();) {
      if (!trie_.step(node, static_cast<unsigned char>(part[at]))) break;
      ++at;
      const int32_t id = trie_.id(node);
      if (id < 0) continue;
      offer(nodes[at], scores_[static_cast<size_t>(id)] + before, id, start);
      has_character = has_character || at == next;
    }
    if (!has_character) offer(nodes[next], unknown_score_ + before, unk_id_, start);
    start = next;
  }
}

// The path is known from its end; ends are turned round.
template <class Node>
void UnigramEncoder::find_path(const std::vector<Node>& nodes, std::vector<int32_t>& ends) const {
  ends.clear();
  for (auto end = static_cast<int32_t>(nodes.size() - 1); end > 0;) {
    ends.push_back(end);
    end = nodes[static_cast<size_t>(end)].start;
  }
  std::reverse(ends.begin(), ends.end());
}

void UnigramEncoder::encode(std::string_view part, float& score, size_t first, Scratch& scratch,
                            std::vector<int32_t>& ids) const {
  check(part.size() <= kMaxPart, Fault::kInput, "a document has ", part.size(),
        " bytes where no piece of the tokenizer ends, at most ", kMaxPart, " can be encoded");
  auto& best = scratch.best;
  best.assign(part.size() + 1, Best{});
  best[0].score = score;
  search(part, best);
  find_path(best, scratch.ends);
  for (const int32_t end : scratch.ends) {
    const Best& piece = best[static_cast<size_t>(end)];
    if (piece.id != unk_id_) {
      ids.push_back(piece.id);
      continue;
    }
    const auto start = static_cast<size_t>(piece.start);
    unknown_.append(part.substr(start, static_cast<size_t>(end) - start), first, ids);
  }
  score = best[part.size()].score;
}

float UnigramEncoder::encode_anywhere(std::string_view part, Scratch& scratch,
                                      std::vector<int32_t>& ids) const {
  auto& choices = scratch.choices;
  choices.assign(part.size() + 1, Choice{});
  search(part, choices);
  find_path(choices, scratch.ends);
  ids.clear();
  double gap = std::numeric_limits<double>::infinity(), largest = 0;
  for (const Choice& c : choices) largest = std::max(largest, std::abs(c.score));
  for (const int32_t end : scratch.ends) {
    const Choice& piece = choices[static_cast<size_t>(end)];
    if (piece.id == unk_id_) return -1;
    ids.push_back(piece.id);
    gap = std::min(gap, piece.gap);
  }
  // Both candidates err by at most bytes * 2^-24 of the largest sum; 1% for the sums made here.
  const double sums = gap * 0x1p24 / (2.02 * static_cast<double>(part.size()));
  return std::max(-1.0f, static_cast<float>(std::min<double>(sums - 1.01 * largest, FLT_MAX)));
}

}  // namespace llmtool
