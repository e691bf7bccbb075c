// The index of near deduplication: what is left of a run for later ones.
#pragma once

#include "lib/corpus/dedup/near_settings.h"
#include "lib/corpus/step.h"

namespace llmtool {

// Writes the index `to`: that of `before` (empty: none) with the documents that this run kept, from
// the logs and the removals in the step's folder.
void write_near_index(const fs::path& to, const NearSettings& settings, const fs::path& before,
                      StepResources& resources);

}  // namespace llmtool
