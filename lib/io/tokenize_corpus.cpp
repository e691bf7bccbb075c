#include "lib/io/tokenize_corpus.h"

#include <cmath>
#include <optional>

#include "lib/base/error.h"
#include "lib/base/ordered.h"
#include "lib/base/rng.h"
#include "lib/io/token_shards.h"
#include "lib/text/document_sample.h"
#include "lib/text/utf8.h"

namespace llmtool {
namespace {

constexpr size_t kBlocksPerThread = 4;

class SplitWriter {
 public:
  SplitWriter(const fs::path& output, std::string name, int64_t vocab_size, uint64_t shard_bytes)
      : output_(output),
        name_(std::move(name)),
        vocab_size_(vocab_size),
        shard_bytes_(shard_bytes) {}

  void add(std::span<const int32_t> ids, uint64_t text_bytes) {
    const uint64_t bytes = ids.size() * (vocab_size_ < 65500 ? 2 : 4);
    if (shard_ && shard_->documents() > 0 && shard_->bytes() + bytes > shard_bytes_) close_shard();
    if (!shard_) open_shard();
    shard_->add_document(ids);
    ++counts_.documents;
    counts_.tokens += ids.size();
    counts_.text_bytes += text_bytes;
  }

  DatasetSplit finish() {
    close_shard();
    return std::move(counts_);
  }

 private:
  void open_shard() {
    std::string number = std::to_string(counts_.shards.size());
    number.insert(0, number.size() < 5 ? 5 - number.size() : 0, '0');
    counts_.shards.push_back(concat(name_, "/", name_, "_", number));
    create_folder(output_ / name_);
    shard_.emplace(output_ / counts_.shards.back(), vocab_size_);
  }

  void close_shard() {
    if (shard_) shard_->commit();
    shard_.reset();
  }

  fs::path output_;
  std::string name_;
  int64_t vocab_size_;
  uint64_t shard_bytes_;
  std::optional<TokenShardWriter> shard_;
  DatasetSplit counts_;
};

}  // namespace

BlockTokenizer::BlockTokenizer(const Tokenizer& tokenizer, const TokenizeOptions& options,
                               int threads)
    : tokenizer_(tokenizer), options_(options) {
  check(tokenizer.eos_id() >= 0, Fault::kInput,
        "the tokenizer has no end-of-text piece (</s>) to end documents with");
  for (int t = 0; t < threads; ++t) parsers_.emplace_back(options.text_member);
}

void BlockTokenizer::run(const CorpusBlock& block, int thread, TokenizedBlock& out,
                         const How& how) {
  for_each_document(block, parsers_[static_cast<size_t>(thread)], out.bad.taker(options_.skip_bad),
                    [&](Document& document) { add(out, document, how); });
}

void BlockTokenizer::add(TokenizedBlock& out, const Document& document, const How& how) const {
  if (document.text.empty()) {
    ++out.empty;
    return;
  }
  tokenizer_.encode(document.text, out.ids);
  out.ids.push_back(tokenizer_.eos_id());
  const bool held_out = how.hold_out || is_held_out(document.text);
  out.documents.push_back({out.ids.size(), document.text.size(), held_out,
                           how.label ? how.label(document) : std::string()});
  out.space_symbols += count_occurrences(document.text, kSpaceSymbol);
  if (held_out && !options_.val_documents.empty()) append_document(out.held_out_lines, document);
}

bool BlockTokenizer::is_held_out(std::string_view text) const {
  static const uint64_t kStream = stream_id("held-out documents");
  const uint64_t hash = document_hash(text, options_.seed ^ kStream);
  return std::ldexp(static_cast<double>(hash >> 11), -53) < options_.val_fraction;
}

struct TokenDatasetWriter::State {
  State(const Tokenizer& t, const TokenizeOptions& o)
      : train(o.output, "train", t.vocab_size(), o.shard_bytes),
        val(o.output, "val", t.vocab_size(), o.shard_bytes) {
    create_folder(o.output);
    if (!o.val_documents.empty()) val_documents.emplace(o.val_documents);
    DatasetInfo& info = result.info;
    info.tokenizer_kind = t.kind();
    info.tokenizer_checksum = t.checksum();
    info.vocab_size = t.vocab_size();
    info.eos_id = t.eos_id();
    info.val_fraction = o.val_fraction;
    info.seed = o.seed;
  }

  SplitWriter train, val;
  std::optional<OutputStream> val_documents;
  TokenizeResult result;
};

TokenDatasetWriter::TokenDatasetWriter(const Tokenizer& tokenizer, const TokenizeOptions& options)
    : state_(std::make_unique<State>(tokenizer, options)) {}
TokenDatasetWriter::~TokenDatasetWriter() = default;

void TokenDatasetWriter::add(const TokenizedBlock& block, bool with_train) {
  block.for_each([&](const TokenizedBlock::Document& document, std::span<const int32_t> ids) {
    if (document.held_out) {
      state_->val.add(ids, document.text_bytes);
    } else if (with_train) {
      state_->train.add(ids, document.text_bytes);
    }
  });
  if (state_->val_documents) state_->val_documents->write(block.held_out_lines);
  DatasetInfo& info = state_->result.info;
  add_bad(block.bad.first, block.bad.count);
  info.empty_documents += block.empty;
  info.space_symbols += block.space_symbols;
}

void TokenDatasetWriter::add_train(std::span<const int32_t> ids, uint64_t text_bytes) {
  state_->train.add(ids, text_bytes);
}

void TokenDatasetWriter::add_bad(const std::string& first, uint64_t count) {
  DatasetInfo& info = state_->result.info;
  if (info.bad_lines == 0) state_->result.first_bad = first;
  info.bad_lines += count;
}

TokenizeResult TokenDatasetWriter::finish() {
  DatasetInfo& info = state_->result.info;
  info.train = state_->train.finish();
  info.val = state_->val.finish();
  if (info.train.documents == 0) {
    fail(Fault::kInput,
         concat("no document for training: ", info.val.documents, " held out, ",
                info.empty_documents, " without text, ", info.bad_lines, " bad lines"),
         "give documents with text, or a smaller --val-fraction");
  }
  if (state_->val_documents) state_->val_documents->close();
  return std::move(state_->result);
}

namespace {

void tokenize_inputs(const Tokenizer& tokenizer, const std::vector<std::string>& inputs,
                     const TokenizeOptions& options, ThreadPool& pool,
                     const BlockTokenizer::How& how, TokenDatasetWriter& writer,
                     const std::function<void(uint64_t)>& on_bytes) {
  struct Item {
    CorpusBlock block;
    uint64_t consumed = 0;
    TokenizedBlock tokens;
  };
  CorpusReader reader(inputs, options.reader);
  BlockTokenizer encoder(tokenizer, options, pool.size());
  run_in_order<Item>(
      pool, kBlocksPerThread * static_cast<size_t>(pool.size()),
      [&](Item& item) {
        if (!reader.next(item.block)) return false;
        item.consumed = reader.consumed_bytes();
        return true;
      },
      [&](Item& item, int thread) {
        encoder.run(item.block, thread, item.tokens, how);
        item.block.bytes = {};
      },
      [&](Item& item) {
        writer.add(item.tokens);
        if (on_bytes) on_bytes(item.consumed);
      });
  for (const std::string& problem : reader.take_problems()) writer.add_bad(problem, 1);
}

}  // namespace

void tokenize_val_inputs(const Tokenizer& tokenizer, const TokenizeOptions& options,
                         ThreadPool& pool, TokenDatasetWriter& writer,
                         const std::function<void(uint64_t)>& on_bytes) {
  if (options.val_inputs.empty()) return;
  tokenize_inputs(tokenizer, options.val_inputs, options, pool, {.hold_out = true}, writer,
                  on_bytes);
}

TokenizeResult tokenize_corpus(const Tokenizer& tokenizer, const std::vector<std::string>& inputs,
                               const TokenizeOptions& options, ThreadPool& pool,
                               const std::function<void(uint64_t)>& on_bytes) {
  TokenDatasetWriter writer(tokenizer, options);
  uint64_t last = 0;
  tokenize_inputs(tokenizer, inputs, options, pool, {}, writer, [&](uint64_t consumed) {
    last = consumed;
    if (on_bytes) on_bytes(consumed);
  });
  tokenize_val_inputs(tokenizer, options, pool, writer, [&](uint64_t consumed) {
    if (on_bytes) on_bytes(last + consumed);
  });
  return writer.finish();
}

std::vector<fs::path> stray_shards(const fs::path& output) {
  std::vector<fs::path> found;
  for (const char* split : {"train", "val"}) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(output / split, error)) {
      const std::string name = entry.path().filename().string();
      const std::string ending = entry.path().extension().string();
      if (name.starts_with(concat(split, "_")) && (ending == ".bin" || ending == ".idx")) {
        found.push_back(entry.path());
      }
    }
  }
  return found;
}

}  // namespace llmtool
