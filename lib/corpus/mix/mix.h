// Mixes sources into one stream: JSON lines, or token shards.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/corpus/mix/mix_recipe.h"
#include "lib/corpus/mix/mixer.h"
#include "lib/io/tokenize_corpus.h"

namespace llmtool {

struct MixOptions {
  MixRecipe recipe;
  CorpusReader::Options reader;
  std::string text_member = "text";
  size_t memory = size_t{2} << 30;
  fs::path folder;                       // for temporary files (see Mixer)
  const Tokenizer* tokenizer = nullptr;  // counts tokens; must be there for a budget in tokens
  bool skip_bad = false;
  std::vector<fs::path> own;  // what the run writes: passed over in folders, no input by its name
};

struct MixResult {
  struct Source {
    std::string name;
    double asked = 0;           // share of the whole, in units
    uint64_t stored_bytes = 0;  // of its files, as they lie there; 0 if unknown
    std::vector<MixPart> parts;
    MixPart sum() const;  // of the parts
  };
  std::vector<Source> sources;
  MixUnit unit = MixUnit::kBytes;
  bool has_tokens = false;
  uint64_t empty_documents = 0, bad_records = 0;
  std::string first_bad;  // "file:line: reason"
  // Files that are read again, by the same source or another; the first as a sentence.
  uint64_t repeated_inputs = 0;
  std::string first_repeated;
};

struct MixProgress {
  std::function<void(std::string_view label, uint64_t total)> begin;  // a phase; bytes
  std::function<void(uint64_t done)> advance;
};

// Each document as it was, with attributes.mix_source, the name of its source. output: a file
// (.gz, .zst) that appears when it is whole, or "-".
MixResult mix_documents(const MixOptions& options, const std::string& output, ThreadPool& pool,
                        const MixProgress& progress = {});

// Into token shards. Held-out documents are no part of the mix: they are written once, in the
// order of the sources.
struct MixedTokens {
  MixResult mix;
  TokenizeResult dataset;
};
MixedTokens mix_tokens(const MixOptions& options, const TokenizeOptions& dataset, ThreadPool& pool,
                       const MixProgress& progress = {});

// The table of LLaMA's paper (Touvron et al. 2023, Table 1): share asked and given, epochs, size,
// tokens.
std::string mix_table(const MixResult& result);
std::vector<std::string> mix_headings(const MixResult& result);
std::vector<std::vector<std::string>> mix_rows(const MixResult& result);
std::string mix_json(const MixResult& result);

}  // namespace llmtool
