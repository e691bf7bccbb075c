// Locality-sensitive hashing of MinHash signatures: two texts are candidates if all rows of at
// least one band agree (Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", 3.4).
#pragma once

namespace llmtool {

struct BandsAndRows {
  int bands = 0, rows = 0;
};

// 1 - (1 - s^rows)^bands: of two texts with Jaccard similarity s.
double candidate_probability(double similarity, BandsAndRows lsh);

// (1 / bands)^(1 / rows): where the curve is about its steepest.
double threshold_of(BandsAndRows lsh);

// Those with bands x rows <= num_hashes that have the least area of false positives below the
// threshold plus area of false negatives above it, as datasketch's MinHashLSH with equal weights.
BandsAndRows best_for_threshold(double threshold, int num_hashes);

}  // namespace llmtool
