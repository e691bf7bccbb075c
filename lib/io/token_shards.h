// Tokenised documents in Megatron's indexed format (`<prefix>.bin`, `<prefix>.idx`), memory-mapped.
// .bin: the tokens of all sequences, one after another, little-endian. .idx: "MMIDIDX\0\0", u64
// version 1, u8 dtype code (4 int32, 8 uint16), u64 sequences, u64 document indices (sequences +
// 1), i32 lengths[sequences], i64 byte offsets[sequences], i64 document_indices[sequences + 1]. One
// sequence is one document here. See megatron/core/datasets/indexed_dataset.py.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lib/base/file.h"

namespace llmtool {

// One shard. Checks the header, the sizes and every offset before use: Fault::kInput otherwise.
// What the tokens are is the reader's to check: a shard does not know its vocabulary.
class TokenShard {
 public:
  explicit TokenShard(const fs::path& prefix);

  int64_t documents() const { return documents_; }
  int64_t tokens() const { return tokens_; }
  int64_t document_length(int64_t document) const;
  // First token of a document, counted over all documents; document == documents() gives tokens().
  int64_t document_begin(int64_t document) const;
  // Copies tokens [begin, begin + n) of the shard, counted over all documents in order.
  void read(int64_t begin, int64_t n, int32_t* out) const;
  const fs::path& prefix() const { return prefix_; }

 private:
  void read_header();
  void check_index() const;

  fs::path prefix_;
  std::unique_ptr<MappedFile> bin_, idx_;
  int64_t documents_ = 0, tokens_ = 0;
  int64_t token_bytes_ = 0;
  // Not aligned: the header has 34 bytes.
  const std::byte* lengths_ = nullptr;
  const std::byte* offsets_ = nullptr;
};

// Writes one shard; uint16 tokens for a vocabulary below 65,500 (Megatron's rule), else int32. Both
// files appear with commit(), .idx last.
class TokenShardWriter {
 public:
  TokenShardWriter(const fs::path& prefix, int64_t vocab_size);
  void add_document(std::span<const int32_t> ids);
  int64_t documents() const { return static_cast<int64_t>(lengths_.size()); }
  int64_t tokens() const { return tokens_; }
  // Of .bin and .idx as they stand.
  uint64_t bytes() const { return bin_.size() + 42 + 20 * lengths_.size(); }
  void commit();

 private:
  fs::path prefix_;
  AtomicFile bin_;
  int64_t vocab_size_;
  bool wide_;
  int64_t tokens_ = 0;
  std::vector<int32_t> lengths_;
  std::vector<uint16_t> narrow_;
};

// All shards of a dataset folder or prefix seen as one: `path` is a prefix, or a folder whose *.idx
// files are taken in order of name.
class TokenDataset {
 public:
  explicit TokenDataset(const fs::path& path);

  int64_t documents() const { return documents_; }
  int64_t tokens() const { return tokens_; }
  // Tokens [begin, begin + n), counted over all shards in order.
  void read(int64_t begin, int64_t n, int32_t* out) const;
  const std::vector<TokenShard>& shards() const { return shards_; }

 private:
  std::vector<TokenShard> shards_;
  std::vector<int64_t> first_token_;
  int64_t documents_ = 0, tokens_ = 0;
};

}  // namespace llmtool
