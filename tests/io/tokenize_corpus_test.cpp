#include "lib/io/tokenize_corpus.h"

#include <doctest/doctest.h>

#include "lib/base/error.h"
#include "lib/io/token_shards.h"
#include "tests/scratch_folder.h"
#include "tests/text/made_text.h"

using namespace llmtool;

namespace {

const Tokenizer& tokenizer() {
  static const auto made = made_tokenizer({.model = "bpe", .vocab_size = 420});
  return *made;
}

std::string write_corpus(const fs::path& path, const std::vector<std::string>& texts) {
  OutputStream out(path);
  for (size_t i = 0; i < texts.size(); ++i) out.write(json_line(concat("d", i), texts[i]));
  out.close();
  return path.string();
}

TokenizeResult run(const std::vector<std::string>& inputs, TokenizeOptions options,
                   int threads = 2) {
  // Made before the pool: its trainer forks, and ThreadSanitizer wants no threads beside a fork.
  const Tokenizer& made = tokenizer();
  ThreadPool pool(threads);
  options.reader.block_bytes = 2000;
  return tokenize_corpus(made, inputs, options, pool);
}

std::vector<std::string> texts_of(const fs::path& split) {
  const TokenDataset dataset(split);
  std::vector<std::string> texts;
  for (const TokenShard& shard : dataset.shards()) {
    for (int64_t d = 0; d < shard.documents(); ++d) {
      std::vector<int32_t> ids(static_cast<size_t>(shard.document_length(d)));
      shard.read(shard.document_begin(d), shard.document_length(d), ids.data());
      REQUIRE(ids.back() == tokenizer().eos_id());
      texts.push_back(tokenizer().decode(ids));
    }
  }
  return texts;
}

std::string bytes_below(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::string all;
  for (const fs::path& file : files) {
    all += fs::relative(file, folder).string() + "\n" + read_file(file);
  }
  return all;
}

}  // namespace

TEST_CASE("every document is in a shard, in order, with exact counts") {
  const ScratchFolder scratch;
  std::vector<std::string> texts = made_documents(200, 4);
  uint64_t bytes = 0, empty = 0;
  for (const std::string& text : texts) {
    bytes += text.size();
    empty += text.empty();
  }
  const std::string corpus = write_corpus(scratch.path() / "a.jsonl.zst", texts);
  std::erase(texts, "");
  const TokenizeResult result = run({corpus}, {.output = scratch.path() / "out"});
  CHECK(result.info.train.documents == texts.size());
  CHECK(result.info.empty_documents == empty);
  CHECK(result.info.train.text_bytes == bytes);
  CHECK(result.info.val.documents == 0);
  CHECK(texts_of(scratch.path() / "out/train") == texts);
  CHECK(TokenDataset(scratch.path() / "out/train").tokens() ==
        static_cast<int64_t>(result.info.train.tokens));
}

TEST_CASE("the bytes are the same with any number of threads") {
  const ScratchFolder scratch;
  const std::string corpus = write_corpus(scratch.path() / "a.jsonl", made_documents(500, 5));
  const auto bytes_with = [&](int threads) {
    const fs::path out = scratch.path() / concat("out", threads);
    const TokenizeResult result = run({corpus},
                                      {.output = out,
                                       .val_fraction = 0.2,
                                       .val_documents = out / "val.jsonl.zst",
                                       .shard_bytes = 20000},
                                      threads);
    CHECK(result.info.train.shards.size() > 2);
    write_file(out / "dataset.json", dataset_json(result.info));
    return bytes_below(out);
  };
  const std::string one = bytes_with(1);
  CHECK(bytes_with(2) == one);
  CHECK(bytes_with(5) == one);
}

TEST_CASE("the held-out split: a share of the documents, copies on one side, and as JSON lines") {
  const ScratchFolder scratch;
  std::vector<std::string> texts = made_documents(1000, 6);
  std::erase(texts, "");
  std::vector<std::string> twice = texts;
  twice.insert(twice.end(), texts.rbegin(), texts.rend());
  const fs::path out = scratch.path() / "out", held = scratch.path() / "val.jsonl.gz";
  const auto split = [&](const std::vector<std::string>& documents, uint64_t seed) {
    run({write_corpus(scratch.path() / "a.jsonl", documents)},
        {.output = out, .val_fraction = 0.1, .seed = seed, .val_documents = held});
    return texts_of(out / "val");
  };
  std::vector<std::string> val = split(twice, 0);
  const std::vector<std::string> train = texts_of(out / "train");
  CHECK(val.size() + train.size() == twice.size());
  CHECK(val.size() > 120);
  CHECK(val.size() < 280);
  for (const std::string& text : val) CHECK(std::count(train.begin(), train.end(), text) == 0);

  CorpusReader reader({held.string()}, {});
  CorpusBlock block;
  DocumentParser parser;
  std::vector<std::string> written;
  while (reader.next(block)) {
    for_each_document(block, parser, nullptr, [&](Document& d) {
      CHECK(d.line.starts_with("{\"id\":\"d"));
      written.push_back(d.text);
    });
  }
  CHECK(written == val);
  std::vector<std::string> once = split(texts, 0);
  std::sort(val.begin(), val.end());
  val.erase(std::unique(val.begin(), val.end()), val.end());
  std::sort(once.begin(), once.end());
  once.erase(std::unique(once.begin(), once.end()), once.end());
  CHECK(once == val);
  CHECK(split(texts, 1) != split(texts, 0));
}

TEST_CASE("shards begin anew at the size asked for") {
  const ScratchFolder scratch;
  const std::string corpus = write_corpus(scratch.path() / "a.jsonl", made_documents(300, 7));
  const fs::path out = scratch.path() / "out";
  const TokenizeResult result = run({corpus}, {.output = out, .shard_bytes = 8000});
  REQUIRE(result.info.train.shards.size() > 3);
  CHECK(result.info.train.shards[1] == "train/train_00001");
  for (const std::string& name : result.info.train.shards) {
    const uint64_t size =
        fs::file_size(out / (name + ".bin")) + fs::file_size(out / (name + ".idx"));
    CHECK(size <= 8000);
  }
}

TEST_CASE("bad lines stop the work, or are counted") {
  const ScratchFolder scratch;
  const fs::path file = scratch.path() / "a.jsonl";
  write_file(file, "{\"text\":\"ba\"}\n{\"text\":\"\xff\"}\n{\"text\":\"ko\u2581ti\"}\n[]\n");
  const fs::path out = scratch.path() / "out";
  CHECK_THROWS_WITH_AS(run({file.string()}, {.output = out}), doctest::Contains("a.jsonl:2: byte"),
                       Error);
  CHECK(stray_shards(out).empty());
  const TokenizeResult result = run({file.string()}, {.output = out, .skip_bad = true});
  CHECK(result.info.train.documents == 2);
  CHECK(result.info.bad_lines == 2);
  CHECK(result.first_bad.find("a.jsonl:2: ") != std::string::npos);
  CHECK(result.info.space_symbols == 1);
  CHECK(stray_shards(out).size() == 2);
}

TEST_CASE("an input without documents is an error that says so") {
  const ScratchFolder scratch;
  const std::string empty = write_corpus(scratch.path() / "a.jsonl", {});
  const std::string blank = write_corpus(scratch.path() / "b.jsonl", {"", ""});
  CHECK_THROWS_WITH_AS(run({empty, blank}, {.output = scratch.path() / "out"}),
                       doctest::Contains("no document for training: 0 held out, 2 without text"),
                       Error);
}

TEST_CASE("dataset.json reads back") {
  const ScratchFolder scratch;
  const std::string corpus = write_corpus(scratch.path() / "a.jsonl", made_documents(50, 4));
  const TokenizeResult result =
      run({corpus}, {.output = scratch.path(), .val_fraction = 0.3, .seed = 9});
  const std::string json = dataset_json(result.info);
  write_file(scratch.path() / "dataset.json", json);
  const DatasetInfo info = read_dataset_info(scratch.path());
  CHECK(dataset_json(info) == json);
  CHECK(info.tokenizer_checksum == tokenizer().checksum());
  CHECK(info.train.tokens == result.info.train.tokens);
  write_file(scratch.path() / "dataset.json", "{\"format\": \"megatron-indexed\"}");
  CHECK_THROWS_WITH_AS(read_dataset_info(scratch.path()), doctest::Contains("tokenizer"), Error);
}
