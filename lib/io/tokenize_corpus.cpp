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

// The documents of a block that go to one split.
struct EncodedSplit {
  std::vector<int32_t> ids;
  std::vector<size_t> ends;  // of each document in ids
  uint64_t text_bytes = 0;
};

struct Encoded {
  CorpusBlock block;
  uint64_t consumed = 0;
  EncodedSplit train, val;
  std::string val_lines;
  BadLines bad;
  uint64_t empty = 0, space_symbols = 0;
};

class SplitWriter {
 public:
  SplitWriter(const fs::path& output, std::string name, int64_t vocab_size, uint64_t shard_bytes)
      : output_(output),
        name_(std::move(name)),
        vocab_size_(vocab_size),
        shard_bytes_(shard_bytes) {}

  void add(const EncodedSplit& split) {
    size_t begin = 0;
    for (const size_t end : split.ends) {
      add_document(std::span(split.ids).subspan(begin, end - begin));
      begin = end;
    }
    counts_.text_bytes += split.text_bytes;
  }

  DatasetSplit finish() {
    close_shard();
    return std::move(counts_);
  }

 private:
  void add_document(std::span<const int32_t> ids) {
    const uint64_t bytes = ids.size() * (vocab_size_ < 65500 ? 2 : 4);
    if (shard_ && shard_->documents() > 0 && shard_->bytes() + bytes > shard_bytes_) close_shard();
    if (!shard_) open_shard();
    shard_->add_document(ids);
    ++counts_.documents;
    counts_.tokens += ids.size();
  }

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

class Job {
 public:
  Job(const Tokenizer& tokenizer, const std::vector<std::string>& inputs,
      const TokenizeOptions& options, ThreadPool& pool,
      const std::function<void(uint64_t)>& on_bytes)
      : tokenizer_(tokenizer),
        options_(options),
        pool_(pool),
        on_bytes_(on_bytes),
        reader_(inputs, options.reader),
        train_(options.output, "train", tokenizer.vocab_size(), options.shard_bytes),
        val_(options.output, "val", tokenizer.vocab_size(), options.shard_bytes) {
    check(tokenizer.eos_id() >= 0, Fault::kInput,
          "the tokenizer has no end-of-text piece (</s>) to end documents with");
    create_folder(options.output);
    for (int t = 0; t < pool.size(); ++t) parsers_.emplace_back(options.text_member);
    if (!options.val_documents.empty()) val_documents_.emplace(options.val_documents);
  }

  TokenizeResult run() {
    run_in_order<Encoded>(
        pool_, kBlocksPerThread * static_cast<size_t>(pool_.size()),
        [&](Encoded& e) { return read(e); }, [&](Encoded& e, int thread) { encode(e, thread); },
        [&](Encoded& e) { write(e); });
    return finish();
  }

 private:
  bool read(Encoded& e) {
    if (!reader_.next(e.block)) return false;
    e.consumed = reader_.consumed_bytes();
    return true;
  }

  void encode(Encoded& e, int thread) const {
    auto& parser = parsers_[static_cast<size_t>(thread)];
    for_each_document(e.block, parser, e.bad.taker(options_.skip_bad),
                      [&](Document& document) { encode_document(e, document); });
    e.block.bytes = {};
  }

  void encode_document(Encoded& e, const Document& document) const {
    if (document.text.empty()) {
      ++e.empty;
      return;
    }
    const bool held_out = is_held_out(document.text);
    EncodedSplit& split = held_out ? e.val : e.train;
    tokenizer_.encode(document.text, split.ids);
    split.ids.push_back(tokenizer_.eos_id());
    split.ends.push_back(split.ids.size());
    split.text_bytes += document.text.size();
    e.space_symbols += count_occurrences(document.text, kSpaceSymbol);
    if (held_out && val_documents_) append_document(e.val_lines, document);
  }

  bool is_held_out(std::string_view text) const {
    static const uint64_t kStream = stream_id("held-out documents");
    const uint64_t hash = document_hash(text, options_.seed ^ kStream);
    return std::ldexp(static_cast<double>(hash >> 11), -53) < options_.val_fraction;
  }

  void write(const Encoded& e) {
    train_.add(e.train);
    val_.add(e.val);
    if (val_documents_) val_documents_->write(e.val_lines);
    DatasetInfo& info = result_.info;
    if (info.bad_lines == 0) result_.first_bad = e.bad.first;
    info.bad_lines += e.bad.count;
    info.empty_documents += e.empty;
    info.space_symbols += e.space_symbols;
    if (on_bytes_) on_bytes_(e.consumed);
  }

  TokenizeResult finish() {
    DatasetInfo& info = result_.info;
    info.tokenizer_kind = tokenizer_.kind();
    info.tokenizer_checksum = tokenizer_.checksum();
    info.vocab_size = tokenizer_.vocab_size();
    info.eos_id = tokenizer_.eos_id();
    info.val_fraction = options_.val_fraction;
    info.seed = options_.seed;
    info.train = train_.finish();
    info.val = val_.finish();
    if (info.train.documents == 0) {
      fail(Fault::kInput,
           concat("no document for training: ", info.val.documents, " held out, ",
                  info.empty_documents, " without text, ", info.bad_lines, " bad lines"),
           "give documents with text, or a smaller --val-fraction");
    }
    if (val_documents_) val_documents_->close();
    return std::move(result_);
  }

  const Tokenizer& tokenizer_;
  const TokenizeOptions& options_;
  ThreadPool& pool_;
  const std::function<void(uint64_t)>& on_bytes_;
  CorpusReader reader_;
  mutable std::vector<DocumentParser> parsers_;  // one a thread
  SplitWriter train_, val_;
  std::optional<OutputStream> val_documents_;
  TokenizeResult result_;
};

}  // namespace

TokenizeResult tokenize_corpus(const Tokenizer& tokenizer, const std::vector<std::string>& inputs,
                               const TokenizeOptions& options, ThreadPool& pool,
                               const std::function<void(uint64_t)>& on_bytes) {
  return Job(tokenizer, inputs, options, pool, on_bytes).run();
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
