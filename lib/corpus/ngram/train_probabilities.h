// From the counts of levels to probabilities and back-offs.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "lib/corpus/ngram/ngram_sink.h"
#include "lib/corpus/ngram/train_discounts.h"
#include "lib/corpus/ngram/train_levels.h"

namespace llmtool {

// Of every node of every level, marked ones too, in files without names.
struct LevelValues {
  std::vector<PositionedFile> probabilities;  // float, [k - 1]
  std::vector<PositionedFile> backoffs;       // float, log10, [k - 1]; none for the highest order
};

struct EstimatePlace {
  fs::path folder;
  size_t memory;
  ThreadPool* pool;
  // Called from one thread at a time: what is being done, and how far.
  std::function<void(std::string_view stage, uint64_t done, uint64_t total)> progress;
};

// p(w | c) = max(count - D, 0) / sum(c) + weight(c) p(w | c without its first word), down to
// 1 / |V|, where |V| counts the model's words with <unk> and without <s>; p(<s>) is 1. The sums are
// those of ContextSum, the arithmetic is lmplz's in float.
LevelValues estimate_probabilities(const NgramLevels& levels,
                                   const std::vector<Discounts>& discounts,
                                   const EstimatePlace& place);

// Everything that is not marked, order by order. words: by their numbers in the levels; those that
// are marked are left out and the others numbered anew.
void write_model(const NgramLevels& levels, const LevelValues& values,
                 const std::vector<std::string>& words, const EstimatePlace& place,
                 NgramSink& sink);

}  // namespace llmtool
