// From the bands of all documents to clusters of near duplicates, out of core.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "lib/corpus/dedup/near_settings.h"
#include "lib/corpus/step.h"

namespace llmtool {

// One band of a document. Sorted, the documents of a bucket come in the order of their contents'
// hashes, whatever the order of the input.
struct BandRecord {
  uint64_t key;
  uint32_t content;  // the upper half of the hash of its text
  uint32_t number;
  auto operator<=>(const BandRecord&) const = default;
  uint64_t sort_prefix() const { return key; }
};

// What decides which document of a cluster stays; the least is kept.
struct RankRecord {
  uint64_t rank, content, id;
  auto operator<=>(const RankRecord&) const = default;
};

// Names of the logs that the first pass leaves. Numbers in them count documents from 0.
inline constexpr const char* kBandLog = "bands";          // BandRecord
inline constexpr const char* kRankLog = "ranks";          // RankRecord, one a document
inline constexpr const char* kDocumentLog = "documents";  // see DocumentLog
inline constexpr const char* kShingleLog = "shingles";    // see ShingleSets; if verified
inline constexpr const char* kShingleEndLog = "shingle_ends";

// Names of the data files of an index, whose documents come before those of the input.
inline constexpr const char* kIndexBands = "bands";  // BandRecord, sorted
inline constexpr const char* kIndexIds = "ids";      // one after another
inline constexpr const char* kIndexIdEnds = "id_ends";
inline constexpr const char* kIndexShingles = "shingles";
inline constexpr const char* kIndexShingleEnds = "shingle_ends";

// In the keeper of a Removal: the rest is a number in the index, not a place in the input.
inline constexpr uint64_t kKeptInIndex = uint64_t{1} << 63;

struct ClusterStats {
  uint64_t documents = 0, clusters = 0, removed = 0;
  std::vector<uint64_t> sizes;  // [i]: clusters of 2^i to 2^(i+1) - 1 documents
  std::vector<std::pair<uint64_t, std::string>> largest;  // size and the id that is kept
};

// Writes into the folder of the step, each file as a whole: "removals" (see Removal), "clusters"
// (JSON lines) and "cluster_stats". index: the state before the run, or empty. Memory: 4 bytes and
// a bit for each document of the input and the index, which has to be less than half of what the
// step may use (else Fault::kUsage); the rest is for sorting.
void build_clusters(const NearSettings& settings, const fs::path& index, StepResources& resources);

ClusterStats read_cluster_stats(const fs::path& folder);

// The id of a document in an index.
std::string id_in_index(const fs::path& index, uint64_t number);
uint64_t documents_in_index(const fs::path& index);  // an empty path: 0

}  // namespace llmtool
