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
  // In the memory of the resources. With a log, "hashes" of the resources, which takes 8 bytes a
  // document, it goes on behind the ids there: for runs that can be resumed.
  IdCheck(StepResources& resources, bool has_log);

  // Two ids are the same if their XXH3 hashes (64 bits) are: of n ids, n^2 / 2^65 pairs by chance.
  // A document without an id is always new.
  bool is_new(const Document& document);

 private:
  AppendLog* log_;  // null: none
  SeenSet seen_;
};

// "file:line: the id 'x' was that of an earlier document"
std::string repeated_id(const Document& document);

}  // namespace llmtool
