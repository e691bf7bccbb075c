// Documents to token shards, on all threads, in the order of the input.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lib/base/threads.h"
#include "lib/io/corpus_reader.h"
#include "lib/io/dataset_info.h"
#include "lib/text/tokenizer.h"

namespace llmtool {

struct TokenizeOptions {
  CorpusReader::Options reader = {};
  std::string text_member = "text";
  fs::path output;  // train/train_00000.{bin,idx}, val/val_00000.{bin,idx}, ... go there
  // A document is held out if the hash of seed and text lies in this share of all hashes: the same
  // text is always on the same side.
  double val_fraction = 0;
  uint64_t seed = 0;
  fs::path val_documents = {};  // the held-out documents as JSON lines; empty: not written
  uint64_t shard_bytes = uint64_t{1} << 30;
  bool skip_bad = false;
};

struct TokenizeResult {
  DatasetInfo info;
  std::string first_bad;  // "file:line: reason", with skip_bad
};

// Each document's ids end with the tokenizer's eos; documents without text are left out and
// counted. on_bytes gets the bytes of the inputs consumed so far. The files' bytes do not depend on
// the number of threads. Throws Fault::kInput for a bad line (without skip_bad), and if no document
// remains for training.
TokenizeResult tokenize_corpus(const Tokenizer& tokenizer, const std::vector<std::string>& inputs,
                               const TokenizeOptions& options, ThreadPool& pool,
                               const std::function<void(uint64_t)>& on_bytes = {});

// Shards below `output` that a run without dataset.json left behind.
std::vector<fs::path> stray_shards(const fs::path& output);

}  // namespace llmtool
