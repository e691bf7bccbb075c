// Puts documents into CCNet's buckets: head, middle and tail by perplexity, for each language by
// itself; all for documents without a perplexity, or of a language without cut-offs. Adds
// attributes.perplexity_bucket.
//
// Without a file of cut-offs they are percentiles of the documents themselves, exact (as
// numpy.percentile interpolates): the documents are read twice, and what memory does not hold is
// sorted on the disk.
#pragma once

#include <memory>

#include "lib/corpus/ngram/cutoffs.h"
#include "lib/corpus/step.h"

namespace llmtool {

struct BucketsOptions {
  std::vector<double> percentiles = {30, 60};  // where middle begins, where tail begins
  std::string perplexity = "attributes.perplexity";
  std::string language = "attributes.language";
  fs::path cutoffs = {};        // or empty: of the documents
  fs::path write_cutoffs = {};  // percentiles 0 to 100 of the documents, as cutoff.csv; or empty
};

// Fault::kUsage for settings that do not go together.
std::unique_ptr<Step> make_buckets_step(const BucketsOptions& options);

}  // namespace llmtool
