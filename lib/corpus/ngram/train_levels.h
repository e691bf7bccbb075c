// The n-grams of every order, each once, as a tree of suffixes in a temporary file.
//
// Level k holds the k-grams in suffix order (by the last word, then the one before it, ...), each
// as its first word: the other words are those of its parent at level k - 1. Parents stand in the
// same order as their children, so that a walk through a level, and beside it through the levels
// below, spells all its n-grams. A level is cut into ranges of last words that threads work on.
//
// Counts are those of KenLM's lmplz: of the highest order, and of what begins with <s>, the
// occurrences; of others the number of different words before them. An n-gram with at most
// prune[k - 1] occurrences, or with a word that is not allowed, is marked: it is not part of the
// model, but its count is part of its context's sum. <unk>, <s> and </s> are never marked.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "lib/base/error.h"
#include "lib/corpus/ngram/train_counter.h"
#include "lib/corpus/ngram/train_spill.h"

namespace llmtool {

class LevelNode {
 public:
  static constexpr int kWordBits = 28, kCountBits = 34;
  static constexpr uint64_t kMostCount = (uint64_t{1} << kCountBits) - 1;

  LevelNode() = default;
  LevelNode(NgramWord word, bool first, bool marked, uint64_t count)
      : bits_(count << 30 | uint64_t{marked} << 29 | uint64_t{first} << 28 | word) {}

  NgramWord word() const { return bits_ & ((uint64_t{1} << kWordBits) - 1); }
  bool first() const { return (bits_ >> 28 & 1) != 0; }  // of its parent's children
  bool marked() const { return (bits_ >> 29 & 1) != 0; }
  uint64_t count() const { return bits_ >> 30; }
  // Nothing comes before <s>, nor before <unk>, which is in no text.
  bool has_children() const { return word() > kSentenceStart; }

 private:
  uint64_t bits_ = 0;
};

struct PruneRule {
  std::vector<uint64_t> prune;  // of each order
  std::vector<bool> allowed;    // of each word; empty: all
};

// What the discounts of an order are made from.
struct OrderStatistics {
  uint64_t with_count[5] = {};  // n-grams with that count; [0] is of no use
  uint64_t ngrams = 0, kept = 0;

  void add(uint64_t count, bool marked) {
    ++ngrams;
    if (!marked) ++kept;
    if (count < 5) ++with_count[count];
  }
};

// A node that is its parent's first child, by their numbers at their levels.
struct LevelMark {
  uint64_t parent, node;
};

struct NgramLevel {
  std::vector<SpillSequence> ranges;
  std::vector<uint64_t> bases;   // number of the first node of each range; then all
  std::vector<LevelMark> marks;  // one about every 4096 nodes
  OrderStatistics statistics;

  uint64_t size() const { return bases.back(); }
};

struct NgramLevels {
  std::unique_ptr<SpillFile> file;
  std::vector<NgramLevel> levels;  // [k - 1]

  int order() const { return static_cast<int>(levels.size()); }
  const NgramLevel& level(int k) const { return levels[static_cast<size_t>(k) - 1]; }
  size_t ranges() const { return levels.front().ranges.size(); }
};

// Walks a level from a node to its end.
class LevelReader {
 public:
  LevelReader(const NgramLevels& levels, int k, uint64_t begin);

  bool empty();
  LevelNode head() {
    LLMTOOL_ASSERT(!empty());
    return reader_.head();
  }
  LevelNode next() {
    LLMTOOL_ASSERT(!empty());
    return reader_.next();
  }

 private:
  const NgramLevels* levels_;
  const NgramLevel* level_;
  size_t range_;
  SpillReader<LevelNode> reader_;
};

struct LevelPlace {
  fs::path folder;
  size_t memory;
  ThreadPool* pool;
  // From one thread at a time: counted n-grams that were read, and all.
  std::function<void(uint64_t done, uint64_t total)> progress;
};

template <int kOrder>
NgramLevels build_levels(const NgramCounter<kOrder>& counter, const PruneRule& rule,
                         const LevelPlace& place);

}  // namespace llmtool
