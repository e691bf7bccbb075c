// Deduplication of streams with a Bloom filter: one pass, a fixed amount of memory, and a stated
// rate of pieces that are taken for copies and are not.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/corpus/dedup/bloom_filter.h"
#include "lib/corpus/dedup/dedup_index.h"
#include "lib/corpus/dedup/piece_hasher.h"
#include "lib/corpus/dedup/piece_removal.h"
#include "lib/corpus/dedup/shingler.h"
#include "lib/corpus/step.h"

namespace llmtool {

struct BloomDedupOptions {
  std::string unit = "document";  // document, line, paragraph, block; ngram
  std::string normalise = {};     // empty: ccnet for paragraphs, else none
  uint64_t expected_items = 0;    // pieces, or n-grams, that are new
  double false_positive_rate = 0.001;
  uint64_t seed = 1;
  std::optional<uint64_t> min_chars = {};  // shorter pieces stay; empty: 1 for lines, else 0
  uint64_t min_bytes = 1;
  // ngram: a line goes if more than this share of its n-grams was seen, the document if more than
  // this share of all of its n-grams was; n-grams of lines that stay are then seen.
  int ngram = 13;      // words
  int min_ngram = 13;  // a line of fewer words than an n-gram has, but so many, is one n-gram
  double overlap = 0.8;
  fs::path index = {};  // a filter of earlier runs; empty: none
};

class BloomDedup : public Step {
 public:
  // Fault::kUsage for settings that do not go together.
  explicit BloomDedup(BloomDedupOptions options);

  std::string name() const override { return "dedup bloom"; }
  std::vector<StepFile> files() const override { return {{StepFile::Use::kGrown, options_.index}}; }
  std::vector<Figure> figures() const override;
  void start(StepResources& resources) override;
  void work(Document& document, Tally& tally, int thread) override;
  bool in_order() const override { return true; }
  void decide(Document& document, Tally& tally) override;
  void finish(StepResources& resources) override;
  std::vector<Fact> facts() const override;

 private:
  bool by_ngram() const { return options_.unit == "ngram"; }
  IndexKind index_kind() const;
  void hash_ngrams(Document& document, Shingler& shingler) const;
  bool insert(uint64_t hash);
  void decide_pieces(Document& document, Tally& tally);
  void decide_ngrams(Document& document, Tally& tally);

  BloomDedupOptions options_;
  PieceHasherOptions hashing_;
  BloomShape shape_;
  std::unique_ptr<BloomFilter> filter_;
  AppendLog* inserted_ = nullptr;  // hashes, from which a run that goes on rebuilds the filter
  std::vector<PieceHasher> hashers_;
  std::vector<Shingler> shinglers_;
  PieceRemoval piece_removal_;
  std::vector<uint64_t> new_hashes_;
  std::vector<bool> is_removed_;
  uint64_t items_ = 0;
  double fill_ = 0;
};

}  // namespace llmtool
