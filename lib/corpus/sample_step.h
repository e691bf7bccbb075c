// A seeded sample of documents.
//
// With a count, a reservoir: the documents with the smallest hash of seed, id and text, so the same
// ones come whatever the order of the inputs; of equal ones the first. With a fraction, each
// document whose hash lies in that share of all hashes: copies with ids of their own go apart. The
// hash is XXH3's 64 bits.
#pragma once

#include <cstdint>

#include "lib/corpus/step.h"

namespace llmtool {

struct SampleOptions {
  uint64_t count = 0;   // either this
  double fraction = 0;  // or this
  uint64_t seed = 0;
};

std::unique_ptr<Step> make_sample_step(const SampleOptions& options);

}  // namespace llmtool
