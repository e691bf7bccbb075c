// Exact deduplication of documents, or of their lines, paragraphs and blocks.
//
// Two of them are copies if their normalised texts have the same XXH3 hash of 64 bits. Among n
// different texts, n^2 / 2^65 pairs are taken for copies by chance: 3e-6 of 10^7, 0.03 of 10^9.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "lib/corpus/dedup/document_log.h"
#include "lib/corpus/dedup/keep_rule.h"
#include "lib/corpus/dedup/piece_hasher.h"
#include "lib/corpus/dedup/piece_log.h"
#include "lib/corpus/dedup/piece_removal.h"
#include "lib/corpus/dedup/removals.h"
#include "lib/corpus/dedup/repeated_hashes.h"
#include "lib/corpus/dedup/seen_set.h"
#include "lib/corpus/step.h"

namespace llmtool {

struct ExactDedupOptions {
  std::string unit = "document";
  std::string normalise = {};  // empty: ccnet for paragraphs, else none
  std::string keep = {};  // empty: none for paragraphs, longest for documents that are normalised,
                          // else first
  std::string keep_by = {};   // the member for --keep highest and lowest
  std::string key = {};       // the member that is compared instead of the text; documents only
  std::string scope = "all";  // copies are looked for in: all, folder, file
  std::optional<uint64_t> min_chars = {};  // shorter pieces stay; empty: 1 for lines, else 0
  uint64_t min_bytes = 1;  // a document that lost pieces and has less text is dropped
  fs::path index = {};     // empty: none
};

class ExactDedup : public Step {
 public:
  // Fault::kUsage for settings that do not go together.
  explicit ExactDedup(ExactDedupOptions options);
  ~ExactDedup() override;

  std::string name() const override { return "dedup exact"; }
  std::vector<StepFile> files() const override { return {{StepFile::Use::kGrown, options_.index}}; }
  void start(StepResources& resources) override;
  void work(Document& document, Tally& tally, int thread) override;
  bool in_order() const override { return true; }
  void decide(Document& document, Tally& tally) override;
  // The first copy is found on the way; every other rule has to see all documents first.
  Step* observer() override;
  void conclude(StepResources& resources) override;
  void finish(StepResources& resources) override;
  std::vector<Fact> facts() const override;

 private:
  class DocumentObserver;
  class PieceObserver;

  bool by_document() const { return hashing_.unit == TextUnit::kDocument; }
  void make_hashers(int threads);
  void start_first(StepResources& resources);
  void decide_first(Document& document, Tally& tally);
  void decide_document(Document& document);
  void start_pieces(StepResources& resources);
  void sort_pieces(StepResources& resources, const PieceLog& log);
  void decide_pieces(Document& document, Tally& tally);
  bool find_repeated(const Document& document);
  bool find_removals(const Document& document);

  ExactDedupOptions options_;
  PieceHasherOptions hashing_;
  std::vector<PieceHasher> hashers_;  // one a thread
  std::unique_ptr<Step> observer_;

  // Decided on the way:
  std::unique_ptr<SeenSet> seen_;
  AppendLog* inserted_ = nullptr;
  std::vector<uint64_t> new_hashes_;
  // Decided before:
  std::unique_ptr<RemovalReader> removals_;
  std::unique_ptr<DocumentLogReader> documents_;
  std::unique_ptr<RepeatedHashes> repeated_;
  std::unique_ptr<PieceLogReader> pieces_;

  PieceRemoval piece_removal_;
  std::vector<bool> is_removed_;
  uint64_t distinct_ = 0;
};

}  // namespace llmtool
