// Brings n-grams to their contexts and back, through a temporary file.
//
// The nodes of level m have their parents (the words behind the first) in level m - 1, and their
// contexts (the words before the last) in level m - 1, too. The children of a node s are spread
// over children of the context of s, and the order of contexts is that of the nodes but for the
// last word. So contexts are cut into parts that fit the memory; the children of each s are sent to
// the part of its context; a part searches and sums what came in the order in which it came; and
// its answers are read in the order of sending.
#pragma once

#include <vector>

#include "lib/corpus/ngram/train_levels.h"
#include "lib/corpus/ngram/train_spill.h"

namespace llmtool {

// Nodes [grand_begin, grand_end) of level m - 2 and all their children, nodes [begin, end) of level
// m - 1. For m = 2 the one grandparent is the root.
struct ContextPart {
  uint64_t grand_begin = 0, grand_end = 0;
  uint64_t begin = 0, end = 0;
};

// Of about at most so many nodes of level m - 1 each.
std::vector<ContextPart> context_parts(const NgramLevels& levels, int m, uint64_t most_nodes);

struct ContextAnswer {
  float probability;  // (count - discount) / sum of the context
  float weight;       // of the shorter n-gram's probability
  uint32_t context;   // its number in the part
};

// What one range of a level sent to one part.
struct Parcel {
  SpillSequence grands;    // uint32_t: for each s the context of s, by its number in the part
  SpillSequence nodes;     // LevelNode: the children of each s
  SpillSequence contexts;  // uint32_t: of each node, by its number in the part
  SpillSequence answers;   // ContextAnswer: of each node
};

struct Exchange {
  Exchange(const fs::path& folder, size_t memory, int threads, size_t ranges,
           std::vector<ContextPart> context_parts);

  std::vector<ContextPart> parts;
  SpillFile file;
  std::vector<std::vector<Parcel>> parcels;  // [range][part]
  std::vector<SpillSequence> routes;         // uint16_t of each range: the part of each s
};

class ExchangeSender {
 public:
  ExchangeSender(Exchange& exchange, size_t range);

  // context: of s, a node of level m - 2. children: the reader at the first child of s, which is
  // left behind the last.
  void send(uint64_t context, SpillReader<LevelNode>& children);
  void finish();

 private:
  Exchange& exchange_;
  SpillWriter<uint16_t> routes_;
  std::vector<SpillWriter<uint32_t>> grands_;
  std::vector<SpillWriter<LevelNode>> nodes_;
};

}  // namespace llmtool
