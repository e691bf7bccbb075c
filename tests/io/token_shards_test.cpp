#include "lib/io/token_shards.h"

#include <cstring>
#include <doctest/doctest.h>
#include <random>

#include "lib/base/error.h"
#include "tests/fuzz_rounds.h"
#include "tests/scratch_folder.h"

using namespace llmtool;

namespace {

using Documents = std::vector<std::vector<int32_t>>;

Documents random_documents(int count, int vocab, uint64_t seed) {
  std::mt19937_64 random(seed);
  Documents documents(count);
  for (auto& ids : documents) {
    ids.resize(random() % 50);
    for (int32_t& id : ids) id = static_cast<int32_t>(random() % vocab);
  }
  return documents;
}

void write_shard(const fs::path& prefix, const Documents& documents, int64_t vocab) {
  TokenShardWriter writer(prefix, vocab);
  for (const auto& ids : documents) writer.add_document(ids);
  writer.commit();
}

std::vector<int32_t> flatten(const Documents& documents) {
  std::vector<int32_t> all;
  for (const auto& ids : documents) all.insert(all.end(), ids.begin(), ids.end());
  return all;
}

std::string message_of_opening(const fs::path& prefix) {
  try {
    TokenShard shard(prefix);
  } catch (const Error& e) {
    CHECK(e.fault() == Fault::kInput);
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a shard gives back every document, at both widths") {
  const ScratchFolder scratch;
  for (const int64_t vocab : {300, 65499, 65500, 100000}) {
    CAPTURE(vocab);
    const fs::path prefix = scratch.path() / "shard";
    const Documents documents = random_documents(200, static_cast<int>(vocab), 7);
    write_shard(prefix, documents, vocab);
    const auto all = flatten(documents);
    CHECK(fs::file_size(prefix.string() + ".bin") == all.size() * (vocab < 65500 ? 2 : 4));

    const TokenShard shard(prefix);
    REQUIRE(shard.documents() == 200);
    REQUIRE(shard.tokens() == static_cast<int64_t>(all.size()));
    for (int d = 0; d < 200; ++d) {
      std::vector<int32_t> ids(shard.document_length(d));
      shard.read(shard.document_begin(d), shard.document_length(d), ids.data());
      REQUIRE(ids == documents[d]);
    }
    CHECK(shard.document_begin(200) == shard.tokens());
  }
}

TEST_CASE("a shard without documents is whole") {
  const ScratchFolder scratch;
  write_shard(scratch.path() / "shard", {}, 300);
  const TokenShard shard(scratch.path() / "shard");
  CHECK(shard.documents() == 0);
  CHECK(shard.tokens() == 0);
}

TEST_CASE("the index is laid out as Megatron's reader expects") {
  const ScratchFolder scratch;
  write_shard(scratch.path() / "shard", {{1, 2, 3}, {}, {4, 5}}, 300);
  std::string expected("MMIDIDX\0\0", 9);
  const auto put = [&](auto value) {
    expected.append(reinterpret_cast<const char*>(&value), sizeof value);
  };
  put(uint64_t{1});
  put(uint8_t{8});
  put(uint64_t{3});
  put(uint64_t{4});
  for (const int32_t length : {3, 0, 2}) put(length);
  for (const int64_t offset : {0, 6, 6}) put(offset);
  for (const int64_t index : {0, 1, 2, 3}) put(index);
  CHECK(read_file(scratch.path() / "shard.idx") == expected);
  const uint16_t tokens[] = {1, 2, 3, 4, 5};
  CHECK(read_file(scratch.path() / "shard.bin") ==
        std::string(reinterpret_cast<const char*>(tokens), sizeof tokens));
}

TEST_CASE("several shards read as one, across their borders") {
  const ScratchFolder scratch;
  const Documents documents = random_documents(90, 500, 3);
  for (int s = 0; s < 3; ++s) {
    const Documents part(documents.begin() + 30 * s, documents.begin() + 30 * (s + 1));
    write_shard(scratch.path() / concat("train_0000", s), part, 500);
  }
  write_shard(scratch.path() / "train_00003", {}, 500);
  const auto all = flatten(documents);
  const TokenDataset dataset(scratch.path());
  REQUIRE(dataset.shards().size() == 4);
  REQUIRE(dataset.documents() == 90);
  REQUIRE(dataset.tokens() == static_cast<int64_t>(all.size()));
  for (const int64_t window : {int64_t{1}, int64_t{100}, dataset.tokens()}) {
    std::vector<int32_t> ids(window);
    for (int64_t begin = 0; begin + window <= dataset.tokens(); begin += 37) {
      dataset.read(begin, window, ids.data());
      REQUIRE(std::equal(ids.begin(), ids.end(), all.begin() + begin));
    }
  }
  CHECK(TokenDataset(scratch.path() / "train_00001").documents() == 30);
  CHECK(TokenDataset(scratch.path() / "train_00001.idx").documents() == 30);
}

TEST_CASE("an uncommitted shard leaves nothing behind") {
  const ScratchFolder scratch;
  {
    TokenShardWriter writer(scratch.path() / "shard", 300);
    writer.add_document(std::vector<int32_t>{1, 2, 3});
  }
  CHECK(fs::is_empty(scratch.path()));
}

TEST_CASE("what is missing is named") {
  const ScratchFolder scratch;
  CHECK_THROWS_WITH_AS(TokenDataset(scratch.path()), doctest::Contains("holds no token shards"),
                       Error);
  CHECK_THROWS_WITH_AS(TokenDataset(scratch.path() / "nothing"), doctest::Contains("nothing.bin"),
                       Error);
}

TEST_CASE("damaged shards are refused with the reason") {
  const ScratchFolder scratch;
  const fs::path prefix = scratch.path() / "shard";
  const fs::path idx = prefix.string() + ".idx", bin = prefix.string() + ".bin";
  write_shard(prefix, {{1, 2, 3}, {4, 5}}, 300);
  const std::string good = read_file(idx);

  const auto with_byte = [&](size_t at, char value) {
    std::string bad = good;
    bad[at] = value;
    write_file(idx, bad);
    return message_of_opening(prefix);
  };
  CHECK(with_byte(0, 'X').find("does not begin with MMIDIDX") != std::string::npos);
  CHECK(with_byte(9, 2).find("version 2") != std::string::npos);
  CHECK(with_byte(17, 7).find("dtype code 7") != std::string::npos);
  CHECK(with_byte(18, 1).find("3 document indices for 1 sequences") != std::string::npos);
  CHECK(with_byte(25, 127).find("sequences and is only") != std::string::npos);
  CHECK(with_byte(37, -1).find("has length -") != std::string::npos);
  CHECK(with_byte(50, 4).find("document 1 begins at byte 4, expected 6") != std::string::npos);
  CHECK(with_byte(66, 2).find("document index 1 is 2") != std::string::npos);
  CHECK(with_byte(74, 3).find("last document index is 3") != std::string::npos);
  CHECK(with_byte(34, 4).find("begins at byte 6, expected 8") != std::string::npos);
  for (size_t size = 0; size < good.size(); ++size) {
    write_file(idx, good.substr(0, size));
    CHECK(message_of_opening(prefix) != "");
  }
  write_file(idx, good);
  write_file(bin, "odd");
  CHECK(message_of_opening(prefix).find("is 3 bytes long, its index asks for 10") !=
        std::string::npos);
}

TEST_CASE("random bytes never open and never crash") {
  const ScratchFolder scratch;
  const fs::path prefix = scratch.path() / "shard";
  write_shard(prefix, random_documents(5, 300, 1), 300);
  const std::string good = read_file(prefix.string() + ".idx");
  std::mt19937_64 random(11);
  for (int round = 0; round < fuzz_rounds(300); ++round) {
    std::string bad = good;
    const int changes = 1 + static_cast<int>(random() % 4);
    for (int c = 0; c < changes; ++c) bad[random() % bad.size()] = static_cast<char>(random());
    if (random() % 4 == 0) bad.resize(random() % bad.size());
    write_file(prefix.string() + ".idx", bad);
    CAPTURE(round);
    if (bad != good) CHECK(message_of_opening(prefix) != "");
  }
}
