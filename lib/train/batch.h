// Training batches: windows of a token dataset, cut into sequences at document boundaries.
//
// An end-of-document token opens the document that follows it: a document t1..tn is trained as the
// sequence [EOS, t1, ..., tn] with the targets [t1, ..., tn, EOS]. So every token is predicted, the
// first from nothing but the EOS, and nothing attends across documents. A document that a window
// cuts goes on from position 0.
#pragma once

#include <cstdint>
#include <vector>

#include "lib/io/token_shards.h"
#include "lib/model/model.h"

namespace llmtool {

class Batch {
 public:
  // document_end: the EOS id; -1: windows are whole sequences (documents attend to each other).
  Batch(int64_t context, int32_t document_end) : context_(context), document_end_(document_end) {}

  void clear();
  // Appends the window of context + 1 tokens that begins at `begin`. `limit`: at most so many
  // targets (the last window of a validation split may be shorter).
  void add_window(const TokenDataset& data, int64_t begin, int64_t limit);

  TokenBatch view() const { return {ids_, positions_, targets_, sequences_}; }
  int64_t tokens() const { return static_cast<int64_t>(ids_.size()); }

 private:
  int64_t context_;
  int32_t document_end_;
  std::vector<int32_t> ids_, positions_, targets_, window_;
  std::vector<AttentionSequence> sequences_;
};

}  // namespace llmtool
