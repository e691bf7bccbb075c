// dataset.json, in the folder that `llmtool tokenize` writes: what the shards beside it hold.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/base/file.h"

namespace llmtool {

struct DatasetSplit {
  uint64_t documents = 0;
  uint64_t text_bytes = 0;          // UTF-8 bytes of the documents' texts
  uint64_t tokens = 0;              // with one end-of-document token for each document
  std::vector<std::string> shards;  // prefixes, relative to the folder: "train/train_00000"

  double bytes_per_token() const {
    return tokens == 0 ? 0 : static_cast<double>(text_bytes) / static_cast<double>(tokens);
  }
};

struct DatasetInfo {
  std::string tokenizer_kind, tokenizer_checksum;
  int64_t vocab_size = 0;
  int64_t eos_id = -1;
  DatasetSplit train, val;
  double val_fraction = 0;
  uint64_t seed = 0;
  // What is not in the shards, or not as it was.
  uint64_t empty_documents = 0, bad_lines = 0;
  uint64_t space_symbols = 0;  // U+2581 in the texts; they come back as spaces
};

std::string dataset_json(const DatasetInfo& info);
// folder/dataset.json. Throws Fault::kInput if it is no such file.
DatasetInfo read_dataset_info(const fs::path& folder);

}  // namespace llmtool
