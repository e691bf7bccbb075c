// The step `dedup substring`: takes out of every document what it repeats of the documents before
// it, of itself or of earlier runs (substring_repeats.h says what a repeat is).
#pragma once

#include <memory>

#include "lib/base/file.h"
#include "lib/corpus/dedup/substring_anchors.h"
#include "lib/corpus/step.h"

namespace llmtool {

struct SubstringOptions {
  SubstringRule rule;
  uint64_t min_bytes = 1;  // a document that lost text and has less left is dropped
  fs::path index;          // empty: none
  fs::path tokenizer;      // SubstringUnit::kTokens
};

// Fault::kUsage for a least length of 0, and for tokens without a tokenizer or the reverse.
std::unique_ptr<Step> make_substring_dedup(const SubstringOptions& options);

}  // namespace llmtool
