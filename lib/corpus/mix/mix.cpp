#include "lib/corpus/mix/mix.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>

#include "lib/base/error.h"
#include "lib/base/ordered.h"
#include "lib/corpus/growing_file.h"
#include "lib/corpus/output_files.h"

namespace llmtool {
namespace {

constexpr size_t kBlocksPerThread = 4;
constexpr size_t kOutputBlock = size_t{1} << 20;

uint64_t bytes_of(uint64_t bytes, uint64_t) {
  return bytes;
}
uint64_t tokens_of(uint64_t, uint64_t tokens) {
  return tokens;
}

// Documents of a block on their way into the mixer.
struct MixBlock {
  struct Item {
    size_t end;  // of its payload
    uint64_t bytes, tokens;
    std::string value;  // of `by`
  };
  CorpusBlock raw;
  uint64_t consumed = 0;
  std::string payload;
  std::vector<Item> items;
  BadLines bad;
  uint64_t empty = 0;
  TokenizedBlock tokens;
};

// Turns the documents of a block into payloads.
using BlockReader = std::function<void(const MixSource&, MixBlock&, int thread)>;

class Mix {
 public:
  Mix(const MixOptions& options, ThreadPool& pool, const MixProgress& progress)
      : options_(options),
        pool_(pool),
        progress_(progress),
        mixer_({.seed = options.recipe.seed.value_or(0),
                .memory = options.memory,
                .folder = options.folder,
                .pool = &pool}) {
    const bool in_tokens = options.recipe.unit == MixUnit::kTokens;
    check(!in_tokens || options.tokenizer != nullptr, Fault::kUsage,
          "a budget in tokens needs a tokenizer to count them: give --tokenizer, or bytes");
    result_.unit = options.recipe.unit;
    result_.has_tokens = options.tokenizer != nullptr;
    for (const MixSource& source : options.recipe.sources) add_inputs(source);
  }

  // taken: after each block, in order.
  void read(const BlockReader& reader, const std::function<void(const MixBlock&)>& taken = {}) {
    std::vector<std::unique_ptr<CorpusReader>> readers;
    uint64_t total = 0;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      readers.push_back(std::make_unique<CorpusReader>(inputs_[i], options_.reader));
      result_.sources.push_back({.name = options_.recipe.sources[i].name,
                                 .stored_bytes = readers.back()->total_bytes(),
                                 .parts = {}});
      total += readers.back()->total_bytes();
    }
    begin("read", total);
    uint64_t before = 0;
    for (size_t i = 0; i < readers.size(); ++i) {
      read_source(options_.recipe.sources[i], *readers[i], before, reader, taken);
      before += readers[i]->total_bytes();
    }
  }

  void draw() {
    const auto by_source = parts_by_source();
    std::vector<uint64_t> sizes;
    for (const auto& parts : by_source) {
      uint64_t size = 0;
      for (const MixPart* part : parts) size += units(*part);
      sizes.push_back(size);
    }
    const std::vector<double> amounts = mix_amounts(options_.recipe, sizes);
    double sum = 0;
    for (const double amount : amounts) sum += amount;
    for (size_t i = 0; i < amounts.size(); ++i) {
      result_.sources[i].asked = amounts[i] / sum;
      set_wanted(by_source[i], amounts[i], options_.recipe.sources[i].temperature);
    }
    mixer_.draw(options_.recipe.unit == MixUnit::kTokens ? tokens_of : bytes_of);
  }

  Mixer& mixer() { return mixer_; }
  const MixResult& result() const { return result_; }

  void begin(std::string_view label, uint64_t total) const {
    if (progress_.begin) progress_.begin(label, total);
  }
  void advance(uint64_t done) const {
    if (progress_.advance) progress_.advance(done);
  }

  MixResult finish() {
    const auto by_source = parts_by_source();
    for (size_t i = 0; i < by_source.size(); ++i) {
      for (const MixPart* part : by_source[i]) result_.sources[i].parts.push_back(*part);
    }
    return std::move(result_);
  }

 private:
  bool is_own(const fs::path& canonical) const {
    return std::ranges::any_of(options_.own, [&](const fs::path& own) {
      std::error_code ignored;
      return is_below(canonical, fs::weakly_canonical(own, ignored));
    });
  }

  void add_inputs(const MixSource& source) {
    std::vector<CorpusInput>& inputs = inputs_.emplace_back();
    for (CorpusInput& input : list_inputs(source.inputs)) {
      std::error_code ignored;
      const fs::path path =
          input.path == "-" ? fs::path("-") : fs::weakly_canonical(input.path, ignored);
      if (is_own(path)) {
        check(input.in_folder, Fault::kUsage, "'", input.path, "' is an input of '", source.name,
              "' and an output");
        continue;
      }
      note_reader(input.path, path, source.name);
      inputs.push_back(std::move(input));
    }
  }

  void note_reader(const std::string& name, const fs::path& path, const std::string& source) {
    const auto [at, is_new] = readers_.try_emplace(path, source);
    if (is_new) return;
    check(name != "-", Fault::kUsage, "standard input is an input of '", at->second, "' and of '",
          source, "', and can be read once");
    if (result_.repeated_inputs++ > 0) return;
    result_.first_repeated =
        concat("'", name, "' is an input of '", at->second, "' and again of '", source, "'");
  }

  uint64_t units(const MixPart& part) const {
    return options_.recipe.unit == MixUnit::kTokens ? part.tokens : part.bytes;
  }

  std::vector<std::vector<MixPart*>> parts_by_source() {
    std::vector<std::vector<MixPart*>> all;
    for (const MixSource& source : options_.recipe.sources) {
      all.emplace_back();
      for (MixPart& part : mixer_.parts()) {
        if (part.source == source.name) all.back().push_back(&part);
      }
    }
    return all;
  }

  void set_wanted(const std::vector<MixPart*>& parts, double amount, double temperature) const {
    std::vector<uint64_t> sizes;
    for (const MixPart* part : parts) sizes.push_back(units(*part));
    const std::vector<double> shares = temperature_shares(sizes, temperature);
    for (size_t i = 0; i < parts.size(); ++i) parts[i]->wanted = amount * shares[i];
  }

  void read_source(const MixSource& source, CorpusReader& reader, uint64_t before,
                   const BlockReader& read_block,
                   const std::function<void(const MixBlock&)>& taken) {
    run_in_order<MixBlock>(
        pool_, kBlocksPerThread * static_cast<size_t>(pool_.size()),
        [&](MixBlock& block) {
          if (!reader.next(block.raw)) return false;
          block.consumed = reader.consumed_bytes();
          return true;
        },
        [&](MixBlock& block, int thread) {
          read_block(source, block, thread);
          block.raw.bytes = {};
        },
        [&](MixBlock& block) {
          put_down(source, block);
          if (taken) taken(block);
          advance(before + block.consumed);
        });
    for (std::string& problem : reader.take_problems()) note_bad(std::move(problem), 1);
  }

  void put_down(const MixSource& source, const MixBlock& block) {
    size_t begin = 0;
    for (const MixBlock::Item& item : block.items) {
      const std::string_view payload(block.payload.data() + begin, item.end - begin);
      mixer_.add(mixer_.part(source.name, item.value), payload, item.bytes, item.tokens);
      begin = item.end;
    }
    result_.empty_documents += block.empty;
    if (block.bad.count > 0) note_bad(block.bad.first, block.bad.count);
  }

  void note_bad(std::string first, uint64_t count) {
    if (result_.bad_records == 0) result_.first_bad = std::move(first);
    result_.bad_records += count;
  }

  const MixOptions& options_;
  ThreadPool& pool_;
  const MixProgress& progress_;
  Mixer mixer_;
  MixResult result_;
  std::vector<std::vector<CorpusInput>> inputs_;  // by source
  std::map<fs::path, std::string> readers_;       // the source that reads a file first
};

std::string value_of(const MixSource& source, const Document& document) {
  return source.by.empty() ? std::string() : required_member(document, source.by).text;
}

// Documents as JSON lines.
class LineReaders {
 public:
  LineReaders(const MixOptions& options, int threads) : options_(options) {
    for (int t = 0; t < threads; ++t) parsers_.emplace_back(options.text_member);
  }

  void operator()(const MixSource& source, MixBlock& block, int thread) {
    std::vector<int32_t> ids;
    for_each_document(block.raw, parsers_[static_cast<size_t>(thread)],
                      block.bad.taker(options_.skip_bad), [&](Document& document) {
                        if (document.text.empty()) {
                          ++block.empty;
                          return;
                        }
                        std::string value = value_of(source, document);
                        document.attributes.push_back({"mix_source", json_text(source.name)});
                        append_document(block.payload, document);
                        uint64_t tokens = 0;
                        if (options_.tokenizer != nullptr) {
                          ids.clear();
                          options_.tokenizer->encode(document.text, ids);
                          tokens = ids.size() + 1;
                        }
                        block.items.push_back(
                            {block.payload.size(), document.text.size(), tokens, std::move(value)});
                      });
  }

 private:
  const MixOptions& options_;
  std::vector<DocumentParser> parsers_;  // one a thread
};

// The mix as packed blocks of lines, to a file or (null) to standard output.
void write_lines(Mix& mix, AtomicFile* file, Packing packing, ThreadPool& pool) {
  struct Block {
    std::string lines, packed;
    uint64_t done = 0;
  };
  uint64_t done = 0;
  bool is_empty = true;
  run_in_order<Block>(
      pool, kBlocksPerThread * static_cast<size_t>(pool.size()),
      [&](Block& block) {
        Mixer::Drawn drawn;
        while (block.lines.size() < kOutputBlock && mix.mixer().next(drawn)) {
          block.lines += drawn.payload;
        }
        block.done = done += block.lines.size();
        return !block.lines.empty();
      },
      [&](Block& block, int) { block.packed = packed(block.lines, packing); },
      [&](Block& block) {
        file == nullptr ? write_stdout(block.packed) : file->write(block.packed);
        is_empty = false;
        mix.advance(block.done);
      });
  if (file == nullptr) return;
  if (is_empty) file->write(packed("", packing, true));
  file->commit();
}

// Ids as the shards hold them.
template <class T>
void append_ids(std::string& out, std::span<const int32_t> ids) {
  const size_t at = out.size();
  out.resize(at + ids.size() * sizeof(T));
  for (size_t i = 0; i < ids.size(); ++i) {
    const auto id = static_cast<T>(ids[i]);
    std::memcpy(&out[at + i * sizeof(T)], &id, sizeof(T));
  }
}

template <class T>
void read_ids(std::string_view payload, std::vector<int32_t>& ids) {
  ids.resize(payload.size() / sizeof(T));
  for (size_t i = 0; i < ids.size(); ++i) {
    T id;
    std::memcpy(&id, &payload[i * sizeof(T)], sizeof(T));
    ids[i] = static_cast<int32_t>(id);
  }
}

}  // namespace

MixPart MixResult::Source::sum() const {
  MixPart sum{.source = name, .value = {}};
  for (const MixPart& part : parts) {
    sum.documents += part.documents;
    sum.bytes += part.bytes;
    sum.tokens += part.tokens;
    sum.wanted += part.wanted;
    sum.given_documents += part.given_documents;
    sum.given_bytes += part.given_bytes;
    sum.given_tokens += part.given_tokens;
  }
  return sum;
}

MixResult mix_documents(const MixOptions& options, const std::string& output, ThreadPool& pool,
                        const MixProgress& progress) {
  Mix mix(options, pool, progress);
  // A name that cannot be written is known before everything is read.
  const fs::path path = output;
  std::optional<AtomicFile> file;
  if (output != "-") {
    if (path.has_parent_path()) create_folder(path.parent_path());
    file.emplace(path);
  }
  LineReaders readers(options, pool.size());
  mix.read(std::ref(readers));
  mix.draw();
  mix.begin("write", mix.mixer().drawn_bytes());
  write_lines(mix, file ? &*file : nullptr, file ? packing_of(path) : Packing::kPlain, pool);
  return mix.finish();
}

MixedTokens mix_tokens(const MixOptions& options, const TokenizeOptions& dataset, ThreadPool& pool,
                       const MixProgress& progress) {
  LLMTOOL_ASSERT(options.tokenizer != nullptr);
  const bool is_wide = options.tokenizer->vocab_size() > 65536;
  BlockTokenizer encoder(*options.tokenizer, dataset, pool.size());
  TokenDatasetWriter writer(*options.tokenizer, dataset);
  Mix mix(options, pool, progress);
  mix.read(
      [&](const MixSource& from, MixBlock& block, int thread) {
        const auto label = [&](const Document& document) { return value_of(from, document); };
        encoder.run(block.raw, thread, block.tokens, {.hold_out = false, .label = label});
        block.tokens.for_each([&](const TokenizedBlock::Document& d, std::span<const int32_t> ids) {
          if (d.held_out) return;
          is_wide ? append_ids<uint32_t>(block.payload, ids)
                  : append_ids<uint16_t>(block.payload, ids);
          block.items.push_back({block.payload.size(), d.text_bytes, ids.size(), d.label});
        });
      },
      [&](const MixBlock& block) { writer.add(block.tokens, false); });
  writer.add_bad(mix.result().first_bad, mix.result().bad_records);
  tokenize_val_inputs(*options.tokenizer, dataset, pool, writer);
  mix.draw();
  mix.begin("write", mix.mixer().drawn_bytes());
  uint64_t done = 0;
  std::vector<int32_t> ids;
  for (Mixer::Drawn drawn; mix.mixer().next(drawn);) {
    is_wide ? read_ids<uint32_t>(drawn.payload, ids) : read_ids<uint16_t>(drawn.payload, ids);
    writer.add_train(ids, drawn.bytes);
    mix.advance(done += drawn.payload.size());
  }
  MixedTokens result{.mix = mix.finish(), .dataset = writer.finish()};
  result.mix.empty_documents = result.dataset.info.empty_documents;
  result.mix.first_bad = result.dataset.first_bad;
  result.mix.bad_records = result.dataset.info.bad_lines;
  return result;
}

}  // namespace llmtool
