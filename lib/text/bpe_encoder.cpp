#include "lib/text/bpe_encoder.h"

#include <algorithm>

#include "lib/base/error.h"
#include "lib/text/code_points.h"

namespace llmtool {
namespace {

using Symbol = BpeEncoder::Symbol;
using Candidate = BpeEncoder::Candidate;

constexpr size_t kFew = 64;  // symbols among which the next pair is looked for one by one
constexpr uint32_t kEnd = UINT32_MAX;

PieceTrie symbols_of(const SentencePieceModel& model) {
  std::vector<PieceTrie::Key> keys;
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    const auto& piece = model.pieces[id];
    if (piece.kind != PieceKind::kUserDefined) continue;
    if (auto text = model.spaced_text(piece)) {
      keys.push_back({std::move(*text), static_cast<int32_t>(id)});
    }
  }
  return PieceTrie(std::move(keys));
}

bool is_later(const Candidate& a, const Candidate& b) {
  return a.order > b.order;
}

// Joins neighbours in the order of their rank, with a heap of the pairs that can be joined.
class Joining {
 public:
  Joining(const MergeRules& rules, Symbol* symbols, size_t count, BpeEncoder::Scratch& scratch,
          bool remember)
      : rules_(rules), symbols_(symbols), scratch_(scratch), remember_(remember) {
    scratch.heap.clear();
    scratch.previous.resize(count);
    scratch.next.resize(count);
    for (size_t i = 0; i < count; ++i) {
      scratch.previous[i] = i == 0 ? kEnd : static_cast<uint32_t>(i - 1);
      scratch.next[i] = i + 1 == count ? kEnd : static_cast<uint32_t>(i + 1);
    }
    for (size_t i = 1; i < count; ++i) {
      offer(static_cast<uint32_t>(i - 1), static_cast<uint32_t>(i));
    }
  }

  void run() {
    auto& heap = scratch_.heap;
    while (!heap.empty()) {
      const Candidate top = heap.front();
      std::pop_heap(heap.begin(), heap.end(), is_later);
      heap.pop_back();
      if (still_there(top)) join(top);
    }
  }

 private:
  static constexpr int32_t kGone = INT32_MIN;

  void offer(uint32_t left, uint32_t right) {
    if (left == kEnd || right == kEnd) return;
    const int32_t a = symbols_[left].code, b = symbols_[right].code;
    const MergeRules::Rule rule = rules_.find(a, b);
    if (rule.rank == MergeRules::kNever) return;
    scratch_.heap.push_back({uint64_t{rule.rank} << 32 | left, a, b, rule.joined, right});
    std::push_heap(scratch_.heap.begin(), scratch_.heap.end(), is_later);
    if (remember_ && rules_.is_unused(rule.joined)) scratch_.made_of[rule.joined] = {a, b};
  }

  bool still_there(const Candidate& c) const {
    const auto left = static_cast<uint32_t>(c.order);
    return symbols_[left].code == c.left_code && symbols_[c.right].code == c.right_code &&
           scratch_.next[left] == c.right;
  }

  void join(const Candidate& c) {
    const auto left = static_cast<uint32_t>(c.order);
    const uint32_t after = scratch_.next[c.right];
    symbols_[left].code = c.joined;
    symbols_[c.right].code = kGone;
    scratch_.next[left] = after;
    if (after != kEnd) scratch_.previous[after] = left;
    offer(scratch_.previous[left], left);
    offer(left, after);
  }

  const MergeRules& rules_;
  Symbol* symbols_;
  BpeEncoder::Scratch& scratch_;
  bool remember_;
};

}  // namespace

BpeEncoder::BpeEncoder(const SentencePieceModel& model)
    : rules_(model), user_symbols_(symbols_of(model)), unknown_(model) {}

void BpeEncoder::read_symbols(std::string_view text, std::vector<Symbol>& symbols) const {
  check(text.size() <= kMaxPart, Fault::kInput, "a document has ", text.size(),
        " bytes where no piece of the tokenizer ends, at most ", kMaxPart, " can be encoded");
  symbols.clear();
  for (size_t at = 0; at < text.size();) {
    const auto start = static_cast<uint32_t>(at);
    if (user_symbols_.may_start(static_cast<unsigned char>(text[at]))) {
      const PieceTrie::Match match = user_symbols_.longest(text.substr(at));
      if (match.length > 0) {
        symbols.push_back({Symbol::kFrozen - match.id, start});
        at += match.length;
        continue;
      }
    }
    const uint32_t character = next_code_point(text, at);
    symbols.push_back({rules_.code_of(character), start});
  }
}

// Returns how many symbols are left; they stand at the front.
size_t BpeEncoder::join_few(Symbol* symbols, size_t count) const {
  uint32_t ranks[kFew];
  int32_t joined[kFew];
  const auto look_up = [&](size_t left) {
    const MergeRules::Rule rule = rules_.find(symbols[left].code, symbols[left + 1].code);
    ranks[left] = rule.rank;
    joined[left] = rule.joined;
  };
  for (size_t i = 0; i + 1 < count; ++i) look_up(i);
  while (count > 1) {
    const auto best = static_cast<size_t>(std::min_element(ranks, ranks + count - 1) - ranks);
    if (ranks[best] == MergeRules::kNever) break;
    symbols[best].code = joined[best];
    std::copy(symbols + best + 2, symbols + count, symbols + best + 1);
    --count;
    if (best < count) {
      std::copy(ranks + best + 1, ranks + count, ranks + best);
      std::copy(joined + best + 1, joined + count, joined + best);
    }
    if (best > 0) look_up(best - 1);
    if (best + 1 < count) look_up(best);
  }
  return count;
}

size_t BpeEncoder::join_many(Symbol* symbols, size_t count, Scratch& scratch, bool remember) const {
  Joining(rules_, symbols, count, scratch, remember).run();
  size_t kept = 0;
  for (uint32_t i = 0; i != kEnd; i = scratch.next[i]) symbols[kept++] = symbols[i];
  return kept;
}

size_t BpeEncoder::join_run(Symbol* symbols, size_t count, Scratch& scratch) const {
  if (count == 1) return count;
  if (count <= kFew) return join_few(symbols, count);
  return join_many(symbols, count, scratch, false);
}

// splits: what unused pieces are taken apart into. False if it lacks one.
bool BpeEncoder::append_unused(int32_t code, size_t first, const Splits& splits, Scratch& scratch,
                               std::vector<int32_t>& ids) const {
  auto& stack = scratch.stack;
  stack.assign(1, code);
  while (!stack.empty()) {
    const int32_t top = stack.back();
    stack.pop_back();
    if (!rules_.is_piece(top)) {
      unknown_.append(rules_.character(top), first, ids);
      continue;
    }
    if (!rules_.is_unused(top) || rules_.is_character(top)) {
      ids.push_back(top);
      continue;
    }
    const auto split = splits.find(top);
    if (split == splits.end()) return false;
    stack.push_back(split->second.second);
    stack.push_back(split->second.first);
  }
  return true;
}

// The text of the symbol begins at text[0].
bool BpeEncoder::append(const Symbol& symbol, std::string_view text, size_t first,
                        const Splits& splits, Scratch& scratch, std::vector<int32_t>& ids) const {
  if (symbol.code <= Symbol::kFrozen) {
    ids.push_back(Symbol::kFrozen - symbol.code);
  } else if (symbol.code == Symbol::kUnknown || !rules_.is_piece(symbol.code)) {
    unknown_.append(text.substr(0, sequence_length(static_cast<unsigned char>(text[0]))), first,
                    ids);
  } else if (rules_.is_unused(symbol.code)) {
    return append_unused(symbol.code, first, splits, scratch, ids);
  } else {
    ids.push_back(symbol.code);
  }
  return true;
}

bool BpeEncoder::encode_part(std::string_view part, size_t first, Scratch& scratch,
                             std::vector<int32_t>& ids) const {
  const size_t before = ids.size();
  auto& symbols = scratch.symbols;
  read_symbols(part, symbols);
  for (size_t begin = 0; begin < symbols.size();) {
    size_t end = begin + 1;
    while (end < symbols.size() && rules_.may_join(symbols[end - 1].code, symbols[end].code)) {
      ++end;
    }
    const size_t kept = join_run(symbols.data() + begin, end - begin, scratch);
    for (size_t i = begin; i < begin + kept; ++i) {
      if (append(symbols[i], part.substr(symbols[i].start), first, rules_.only_splits(), scratch,
                 ids)) {
        continue;
      }
      ids.resize(before);
      return false;
    }
    begin = end;
  }
  return true;
}

void BpeEncoder::encode_whole(std::string_view text, Scratch& scratch,
                              std::vector<int32_t>& ids) const {
  const size_t first = ids.size();
  auto& symbols = scratch.symbols;
  read_symbols(text, symbols);
  if (symbols.empty()) return;
  scratch.made_of.clear();
  const size_t kept = join_many(symbols.data(), symbols.size(), scratch, true);
  for (size_t i = 0; i < kept; ++i) {
    const bool known =
        append(symbols[i], text.substr(symbols[i].start), first, scratch.made_of, scratch, ids);
    LLMTOOL_ASSERT(known);
  }
}

}  // namespace llmtool
