#include "lib/io/parquet.h"

#include <doctest/doctest.h>

#include "lib/base/error.h"
#include "lib/base/rng.h"
#include "lib/base/text_stream.h"
#include "lib/io/corpus_reader.h"
#include "tests/fuzz_rounds.h"
#include "tests/scratch_folder.h"

using namespace llmtool;

namespace {

bool has_parquet() {
  try {
    require_parquet();
    return true;
  } catch (const Error& e) {
    CHECK(e.fault() == Fault::kUsage);
    CHECK(e.hint().find("LLMTOOL_PARQUET") != std::string::npos);
    MESSAGE("SKIPPED: this build has no Parquet (cmake -DLLMTOOL_PARQUET)");
    return false;
  }
}

// All of the rendered bytes, from a position on.
std::string read_all(const fs::path& path, CorpusReader::Options options = {},
                     const CorpusPosition& from = {}) {
  CorpusReader reader({path.string()}, options);
  reader.seek(from);
  CorpusBlock block;
  std::string lines;
  while (reader.next(block)) lines += block.bytes;
  return lines;
}

fs::path parquet_of(const ScratchFolder& scratch, const std::string& name,
                    const std::string& lines) {
  write_file(scratch.path() / "lines.jsonl", lines);
  const fs::path path = scratch.path() / name;
  write_parquet(scratch.path() / "lines.jsonl", "text", path);
  return path;
}

std::string documents(int count) {
  std::string lines;
  for (int i = 0; i < count; ++i) {
    lines +=
        concat("{\"id\":\"", i, "\",\"text\":\"", std::string(static_cast<size_t>(i % 97), 'x'),
               "\",\"metadata\":{\"n\":", i, "},\"attributes\":null}\n");
  }
  return lines;
}

}  // namespace

TEST_CASE("a build without Parquet says so before it reads") {
  const ScratchFolder scratch;
  if (has_parquet()) return;
  CHECK_THROWS_AS(CorpusReader(std::vector<std::string>{"a.jsonl", "b.parquet"}, {}), Error);
  CHECK_THROWS_AS(open_parquet("a.parquet", false), Error);
  CHECK_THROWS_AS(write_parquet("a.jsonl", "text", scratch.path() / "a.parquet"), Error);
  CHECK(!fs::exists(scratch.path() / "a.parquet"));
}

TEST_CASE("documents come back from Parquet") {
  if (!has_parquet()) return;
  const ScratchFolder scratch;
  const fs::path path = parquet_of(
      scratch, "a.parquet",
      "{\"id\":\"a\",\"text\":\"\\u00e4\\n\\\"\",\"metadata\":{\"url\":\"u\",\"n\":[1,null]}}\n"
      "{\"id\":7,\"text\":\"\",\"url\":\"x\",\"deep\":{\"a\":true},\"attributes\":{\"s\":0.5}}\n"
      "{\"text\":\"t\",\"metadata\":\"no object\"}\n");
  CHECK(read_all(path) ==
        "{\"id\":\"a\",\"text\":\"\xc3\xa4\\n\\\"\",\"metadata\":{\"url\":\"u\",\"n\":[1,null]},"
        "\"attributes\":null}\n"
        "{\"id\":\"7\",\"text\":\"\",\"metadata\":null,\"attributes\":{\"s\":0.5},\"url\":\"x\","
        "\"deep\":{\"a\":true}}\n"
        "{\"id\":null,\"text\":\"t\",\"metadata\":\"\\\"no object\\\"\",\"attributes\":null}\n");
  CHECK(read_all(parquet_of(scratch, "empty.parquet", "")).empty());
}

TEST_CASE("the text comes from the member that is asked for") {
  if (!has_parquet()) return;
  const ScratchFolder scratch;
  write_file(scratch.path() / "a.jsonl", "{\"content\":\"c\",\"text\":\"t\"}\n{\"text\":\"t\"}\n");
  write_parquet(scratch.path() / "a.jsonl", "content", scratch.path() / "a.parquet");
  const std::string lines = read_all(scratch.path() / "a.parquet");
  CHECK(lines.find("\"text\":\"c\"") != std::string::npos);
  CHECK(lines.find("\"id\":null,\"text\":\"t\"") != std::string::npos);
}

TEST_CASE("the same lines give the same Parquet, and blocks of any size the same lines") {
  if (!has_parquet()) return;
  const ScratchFolder scratch;
  const std::string lines = documents(10'000);
  const fs::path path = parquet_of(scratch, "a.parquet", lines);
  CHECK(read_file(path) == read_file(parquet_of(scratch, "b.parquet", lines)));
  const std::string whole = read_all(path);
  CHECK(whole == lines);
  CHECK(read_all(path, {.block_bytes = 1000}) == whole);
}

TEST_CASE("reading Parquet goes on between any two blocks") {
  if (!has_parquet()) return;
  const ScratchFolder scratch;
  const fs::path path = parquet_of(scratch, "a.parquet", documents(5000));
  const std::string whole = read_all(path);
  const CorpusReader::Options options{.block_bytes = size_t{1} << 15};
  CorpusReader reader({path.string()}, options);
  CorpusBlock block;
  size_t given = 0;
  int blocks = 0;
  for (; reader.next(block); ++blocks) {
    given += block.bytes.size();
    CHECK(read_all(path, options, reader.position()) == whole.substr(given));
  }
  CHECK(blocks > 5);
  CHECK(reader.consumed_bytes() == reader.total_bytes());
}

TEST_CASE("damaged Parquet is an error of the input, or is noted") {
  if (!has_parquet()) return;
  const ScratchFolder scratch;
  const std::string good = read_file(parquet_of(scratch, "good.parquet", documents(2000)));
  const fs::path path = scratch.path() / "bad.parquet";
  int refused = 0;
  const auto try_bytes = [&](const std::string& bytes) {
    write_file(path, bytes);
    try {
      read_all(path);
    } catch (const Error& e) {
      REQUIRE(e.fault() == Fault::kInput);
      REQUIRE(std::string(e.what()).find("bad.parquet: ") != std::string::npos);
      ++refused;
      CorpusReader reader({path.string()}, {.skip_bad = true});
      CorpusBlock block;
      while (reader.next(block)) {
      }
      REQUIRE(!reader.take_problems().empty());
    }
  };
  int cut = 0;
  for (size_t size = 0; size < good.size(); size += 1 + good.size() / 50, ++cut) {
    try_bytes(good.substr(0, size));
  }
  CHECK(refused == cut);
  const Rng random(7);
  const auto rounds = static_cast<uint64_t>(fuzz_rounds(300));
  for (uint64_t i = 0; i < rounds; ++i) {
    std::string bytes = good;
    // Half of them in the footer.
    const size_t from = i % 2 == 0 ? 0 : bytes.size() - std::min<size_t>(bytes.size(), 2000);
    bytes[from + random.below(2 * i, bytes.size() - from)] ^=
        static_cast<char>(1 + random.below(2 * i + 1, 255));
    try_bytes(bytes);
  }
  CHECK(refused > cut + 50);
}
