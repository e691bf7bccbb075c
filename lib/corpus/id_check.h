// Tells which documents have an id that another one had before. Steps and reports name documents by
// their ids, so whoever reads them has to know of ids that stand for several.
#pragma once

#include <string>

#include "lib/corpus/dedup/seen_set.h"
#include "lib/corpus/step.h"
#include "lib/io/document.h"

namespace llmtool {

class IdCheck {
 public:
  // Goes on behind the ids in the log "hashes" of the resources, in their memory.
  explicit IdCheck(StepResources& resources);

  // Two ids are the same if their XXH3 hashes (64 bits) are: of n ids, n^2 / 2^65 pairs by chance.
  // A document without an id is always new.
  bool is_new(const Document& document);

 private:
  AppendLog& log_;
  SeenSet seen_;
};

// "file:line: the id 'x' was that of an earlier document"
std::string repeated_id(const Document& document);

}  // namespace llmtool
