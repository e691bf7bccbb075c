// Documents to token shards, on all threads, in the order of the input.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
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
  std::vector<std::string> val_inputs = {};  // all of their documents are held out, after those
  uint64_t seed = 0;
  fs::path val_documents = {};  // the held-out documents as JSON lines; empty: not written
  uint64_t shard_bytes = uint64_t{1} << 30;
  bool skip_bad = false;
};

// The documents of a block as ids.
struct TokenizedBlock {
  struct Document {
    size_t end;  // of its ids, which begin where those of the one before end
    uint64_t text_bytes;
    bool held_out;
    std::string label;
  };
  std::vector<int32_t> ids;
  std::vector<Document> documents;
  std::string held_out_lines;  // if they are to be written
  BadLines bad;
  uint64_t empty = 0;          // documents without text, which are left out
  uint64_t space_symbols = 0;  // U+2581 in the texts

  // f(document, ids)
  template <class F>
  void for_each(F&& f) const {
    size_t begin = 0;
    for (const Document& d : documents) {
      f(d, std::span(ids).subspan(begin, d.end - begin));
      begin = d.end;
    }
  }
};

// Each document's ids end with the tokenizer's eos. Throws Fault::kInput if it has none, and for a
// bad line (without skip_bad).
class BlockTokenizer {
 public:
  BlockTokenizer(const Tokenizer& tokenizer, const TokenizeOptions& options, int threads);

  struct How {
    bool hold_out = false;  // all of them, whatever val_fraction says
    // What TokenizedBlock::Document::label is; may be empty.
    std::function<std::string(const Document&)> label = {};
  };
  void run(const CorpusBlock& block, int thread, TokenizedBlock& out, const How& how);

 private:
  void add(TokenizedBlock& out, const Document& document, const How& how) const;
  bool is_held_out(std::string_view text) const;

  const Tokenizer& tokenizer_;
  const TokenizeOptions& options_;
  std::vector<DocumentParser> parsers_;  // one a thread
};

struct TokenizeResult {
  DatasetInfo info;
  std::string first_bad;  // "file:line: reason", with skip_bad
};

// The files below TokenizeOptions::output, but for dataset.json.
class TokenDatasetWriter {
 public:
  TokenDatasetWriter(const Tokenizer& tokenizer, const TokenizeOptions& options);
  ~TokenDatasetWriter();
  TokenDatasetWriter(const TokenDatasetWriter&) = delete;
  TokenDatasetWriter& operator=(const TokenDatasetWriter&) = delete;

  // with_train: else only what is held out, and the counts.
  void add(const TokenizedBlock& block, bool with_train = true);
  void add_train(std::span<const int32_t> ids, uint64_t text_bytes);
  // Records that could not be read, besides those of blocks; first: "file:line: reason".
  void add_bad(const std::string& first, uint64_t count);
  // Fault::kInput if no document came for training.
  TokenizeResult finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The documents of val_inputs, as blocks, in order; on_bytes as below.
void tokenize_val_inputs(const Tokenizer& tokenizer, const TokenizeOptions& options,
                         ThreadPool& pool, TokenDatasetWriter& writer,
                         const std::function<void(uint64_t)>& on_bytes = {});

// Documents without text are left out and counted. on_bytes gets the bytes of the inputs consumed
// so far. The files' bytes do not depend on the number of threads.
TokenizeResult tokenize_corpus(const Tokenizer& tokenizer, const std::vector<std::string>& inputs,
                               const TokenizeOptions& options, ThreadPool& pool,
                               const std::function<void(uint64_t)>& on_bytes = {});

// Shards below `output` that a run without dataset.json left behind.
std::vector<fs::path> stray_shards(const fs::path& output);

}  // namespace llmtool
