#include "lib/text/unigram_encoder.h"

#include <algorithm>
#include <cfloat>

#include "lib/base/error.h"
#include "lib/text/utf8.h"

namespace llmtool {
namespace {

// SentencePiece's constants (unigram_model.cc).
constexpr float kUnknownPenalty = 10.0f;
constexpr double kSymbolPenalty = 0.1;

size_t character_length(char first) {
  const auto c = static_cast<uint8_t>(first);
  return c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

}  // namespace

UnigramEncoder::UnigramEncoder(const SentencePieceModel& model) : unk_id_(model.unk_id) {
  float lowest = FLT_MAX, highest = FLT_MIN;
  for (const auto& p : model.pieces) {
    if (p.kind != PieceKind::kNormal) continue;
    lowest = std::min(lowest, p.score);
    highest = std::max(highest, p.score);
  }
  unknown_score_ = lowest - kUnknownPenalty;

  std::vector<std::string> texts(model.pieces.size());
  std::vector<Key> keys;
  if (model.byte_fallback) byte_ids_.resize(256);
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    const auto& p = model.pieces[id];
    const bool symbol = p.kind == PieceKind::kUserDefined;
    scores_.push_back(symbol ? static_cast<float>(p.text.size()) * highest - kSymbolPenalty
                             : double{p.score});
    if (p.kind == PieceKind::kByte) {
      byte_ids_[std::stoul(p.text.substr(3, 2), nullptr, 16)] = static_cast<int32_t>(id);
    }
    if (p.kind != PieceKind::kNormal && !symbol) continue;
    texts[id] = replace_all(p.text, kSpaceSymbol, " ");
    keys.push_back({texts[id], static_cast<int32_t>(id)});
  }
  std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) { return a.text < b.text; });
  trie_.resize(512);
  build(keys, 0, 0, keys.size(), 0);
  trie_.resize(trie_.size() + 256);  // any byte may be looked up at any node
}

// Places the children of a node, whose keys are [begin, end) and agree in their first depth bytes.
void UnigramEncoder::build(const std::vector<Key>& keys, uint32_t node, size_t begin, size_t end,
                           size_t depth) {
  if (begin < end && keys[begin].text.size() == depth) trie_[node].id = keys[begin++].id;
  if (begin == end) return;
  std::vector<uint8_t> labels;
  std::vector<size_t> starts;
  for (size_t i = begin; i < end; ++i) {
    const auto label = static_cast<uint8_t>(keys[i].text[depth]);
    if (!labels.empty() && labels.back() == label) continue;
    labels.push_back(label);
    starts.push_back(i);
  }
  starts.push_back(end);
  const uint32_t base = find_base(labels);
  trie_[node].base = base;
  for (const uint8_t label : labels) trie_[base + label].parent = static_cast<int32_t>(node);
  for (size_t c = 0; c < labels.size(); ++c) {
    build(keys, base + labels[c], starts[c], starts[c + 1], depth + 1);
  }
}

uint32_t UnigramEncoder::find_base(const std::vector<uint8_t>& labels) {
  while (first_free_ < trie_.size() && trie_[first_free_].parent >= 0) ++first_free_;
  const uint32_t begin = std::max<uint32_t>(first_free_, labels[0] + 1u);
  uint32_t taken = 0;
  for (uint32_t slot = begin;; ++slot) {
    const uint32_t base = slot - labels[0];
    if (trie_.size() < size_t{base} + 257) trie_.resize(2 * trie_.size() + 257);
    if (trie_[slot].parent >= 0) {
      ++taken;
      continue;
    }
    const bool fits = std::all_of(labels.begin(), labels.end(),
                                  [&](uint8_t label) { return trie_[base + label].parent < 0; });
    if (!fits) continue;
    // Where 19 of 20 slots are taken it is not worth looking again (the rule of Darts).
    if (uint64_t{taken} * 20 >= (uint64_t{slot} - begin + 1) * 19) first_free_ = slot;
    return base;
  }
}

void UnigramEncoder::search(std::string_view text, std::vector<Best>& best) const {
  best.assign(text.size() + 1, {0, -1, -1});
  for (size_t start = 0; start < text.size();) {
    const float before = best[start].score;
    const size_t next = start + character_length(text[start]);
    bool has_character = false;
    uint32_t node = 0;
    for (size_t at = start; at < text.size();) {
      const uint32_t child = trie_[node].base + static_cast<uint8_t>(text[at]);
      if (trie_[child].parent != static_cast<int32_t>(node)) break;
      node = child;
      ++at;
      const int32_t id = trie_[node].id;
      if (id < 0) continue;
      const double score = scores_[static_cast<size_t>(id)] + before;
      Best& target = best[at];
      if (target.start < 0 || score > target.score) {
        target = {static_cast<float>(score), id, static_cast<int32_t>(start)};
      }
      has_character = has_character || at == next;
    }
    if (!has_character) {
      const float score = unknown_score_ + before;
      Best& target = best[next];
      if (target.start < 0 || score > target.score) {
        target = {score, unk_id_, static_cast<int32_t>(start)};
      }
    }
    start = next;
  }
}

void UnigramEncoder::encode(std::string_view text, std::vector<Best>& best,
                            std::vector<int32_t>& ids) const {
  LLMTOOL_ASSERT(text.size() <= kMaxText);
  search(text, best);
  // The path is known from its end: its starts are turned round, then read forwards.
  size_t pieces = 0;
  for (auto end = static_cast<int32_t>(text.size()); end > 0; ++pieces) {
    end = best[static_cast<size_t>(end)].start;
  }
  std::vector<int32_t> ends(pieces);
  for (auto end = static_cast<int32_t>(text.size()); end > 0;) {
    ends[--pieces] = end;
    end = best[static_cast<size_t>(end)].start;
  }
  bool after_unknown = false;
  for (const int32_t end : ends) {
    const Best& piece = best[static_cast<size_t>(end)];
    if (piece.id != unk_id_) {
      ids.push_back(piece.id);
    } else if (!byte_ids_.empty()) {
      const auto start = static_cast<size_t>(piece.start);
      append_unknown(text.substr(start, static_cast<size_t>(end) - start), ids);
    } else if (!after_unknown) {
      ids.push_back(unk_id_);  // one for a run
    }
    after_unknown = piece.id == unk_id_;
  }
}

void UnigramEncoder::append_unknown(std::string_view character, std::vector<int32_t>& ids) const {
  for (const char c : character == " " ? kSpaceSymbol : character) {
    ids.push_back(byte_ids_[static_cast<uint8_t>(c)]);
  }
}

}  // namespace llmtool
