// The settings of near deduplication.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "lib/corpus/dedup/dedup_index.h"
#include "lib/corpus/dedup/lsh.h"
#include "lib/corpus/dedup/shingler.h"

namespace llmtool {

struct NearDedupOptions {
  // What the others below are where they are left empty or 0:
  //   datatrove    5 words, normalised as by datatrove, 14 bands x 8 rows
  //   text-dedup   5 words, normalised as by text-dedup, 25 x 10 (its Spark version at 0.7)
  //   nemo         24 characters of the text as it is, 20 x 13
  std::string preset = "datatrove";
  std::string normalise = {};
  std::string shingle = {};  // words, characters
  int shingle_size = 0;
  int bands = 0, rows = 0;       // both or none
  double threshold = 0;          // chooses bands and rows, with num_hashes
  int num_hashes = 0;            // 0: 128; only with threshold
  uint64_t seed = 1;             // of the permutations
  std::string keep = "longest";  // see KeepRule
  std::string keep_by = {};
  std::optional<double> verify = {};  // candidates must have at least this Jaccard similarity
  fs::path index = {};                // empty: none
  fs::path clusters = {};             // where to write the clusters, as JSON lines; empty: nowhere
};

// What comes of them.
struct NearSettings {
  ShinglerOptions shingler;
  BandsAndRows lsh;
  uint64_t seed = 1;
  std::optional<double> verify;
};

// Fault::kUsage for settings that do not go together.
NearSettings near_settings(const NearDedupOptions& options);

IndexKind near_index_kind(const NearSettings& settings);

}  // namespace llmtool
