// Estimates an n-gram model from a text: interpolated modified Kneser-Ney smoothing, as KenLM's
// lmplz does (Heafield, Pouzyrevsky, Clark and Koehn 2013, "Scalable Modified Kneser-Ney Language
// Model Estimation"), in bounded memory. The model is that of lmplz for the same sentences, up to
// the rounding of floats; it depends neither on the memory nor on the number of threads.
#pragma once

#include <optional>
#include <vector>

#include "lib/corpus/ngram/ngram_sink.h"
#include "lib/corpus/ngram/train_discounts.h"
#include "lib/corpus/ngram/train_probabilities.h"
#include "lib/corpus/ngram/train_text.h"

namespace llmtool {

struct NgramTraining {
  SentenceText text;
  int order = 5;  // 1 to kMostOrder
  // N-grams that occur at most so many times in the text are left out of the model: one number for
  // each order, never falling; the last counts for all higher orders. Empty: all are kept.
  std::vector<uint64_t> prune;
  // Words, white space between them: n-grams with others are left out, too.
  std::optional<fs::path> limit_vocabulary;
  std::optional<Discounts> discount_fallback;
  EstimatePlace place;  // stages: "count" (bytes), "merge", "estimate", "write" (n-grams)
};

struct NgramSummary {
  TextCounts text;
  uint64_t words = 0;  // different ones, with <unk>, <s> and </s>
  std::vector<OrderStatistics> statistics;
  std::vector<Discounts> discounts;
};

// Fault::kUsage for options out of range, kInput for a text without sentences or without discounts.
NgramSummary train_ngrams(const NgramTraining& training, NgramSink& sink);

}  // namespace llmtool
