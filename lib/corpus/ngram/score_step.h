// Scores documents by n-gram models, one for all or one for each language.
//
// Adds attributes.perplexity, rounded as CCNet rounds it (Python's round()), and on request
// log10_probability, ngram_words, ngram_unknown, and line_perplexity (a list, one for each line). A
// document whose language has no model, or without a word, gets none and is counted.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/corpus/ngram/text_scorer.h"
#include "lib/corpus/step.h"

namespace llmtool {

struct NgramScoreOptions {
  // "FILE", or "LANGUAGE=FILE" for documents of a language.
  std::vector<std::string> models;
  std::vector<std::string> tokenizers;  // in the same way; none: words
  std::string language = "attributes.language";
  std::string normaliser = "none";
  std::string sentence = {};  // line or document; empty: document for CCNet's normalisers
  ModelLoading loading = ModelLoading::kPopulate;
  int decimals = 1;
  bool details = false, lines = false;
  std::optional<double> min_perplexity, max_perplexity;  // documents outside are dropped
};

// Loads the models. Fault::kUsage for settings that do not go together.
std::unique_ptr<Step> make_ngram_score_step(const NgramScoreOptions& options);

}  // namespace llmtool
