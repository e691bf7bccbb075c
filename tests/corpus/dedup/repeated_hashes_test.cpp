#include "lib/corpus/dedup/repeated_hashes.h"

#include <doctest/doctest.h>
#include <map>

#include "lib/base/rng.h"
#include "lib/corpus/dedup/piece_log.h"
#include "tests/corpus/dedup/step_runner.h"

using namespace llmtool;

TEST_CASE("repeated hashes: those of a map, however the table grows") {
  const Rng rng(6);
  for (const uint64_t most : {uint64_t{3}, uint64_t{700}, uint64_t{90000}}) {
    RepeatedHashes repeated;
    std::map<uint64_t, uint64_t> expected;
    std::vector<uint64_t> hashes;
    for (uint64_t i = 0; i < 60000; ++i) {
      // Values that are near each other, and hashes; 0 is nothing.
      const uint64_t value = rng.below(i, most);
      hashes.push_back(value % 2 == 0 ? value : value * 0x9e3779b97f4a7c15);
    }
    for (size_t at = 0; at < hashes.size(); at += 1000) {
      repeated.add(std::span<const uint64_t>(hashes).subspan(at, 1000));
    }
    for (const uint64_t hash : hashes) ++expected[hash];
    expected.erase(0);
    uint64_t repeats = 0, wrong = 0;
    for (const auto& [hash, count] : expected) {
      wrong += repeated.is_repeated(hash) != (count > 1);
      wrong += repeated.is_repeated(hash ^ uint64_t{1} << 40);
      if (count > 1) repeats += count;
    }
    CHECK(wrong == 0);
    CHECK(!repeated.is_repeated(0));
    CHECK(repeated.repeats() == repeats);

    // Marked: each once, also if it repeats already; one that is not there stays unknown.
    uint64_t singles = 0;
    for (const auto& [hash, count] : expected) {
      if (hash % 3 != 0) continue;
      singles += count == 1;
      repeated.mark(hash);
      repeated.mark(hash);
      CHECK(repeated.is_repeated(hash));
    }
    repeated.mark(0x123456789abcdef0);
    CHECK(!repeated.is_repeated(0x123456789abcdef0));
    CHECK(repeated.repeats() == repeats + singles);

    const std::span<const uint64_t> sorted = repeated.sort();
    std::vector<uint64_t> all;
    for (const auto& [hash, count] : expected) all.push_back(hash);
    CHECK(std::vector(sorted.begin(), sorted.end()) == all);
    CHECK(RepeatedHashes::bytes_for(all.size()) >= all.size() * 4 / 3 * 8);
  }
}

TEST_CASE("piece log: the pieces of each document, from any of them on") {
  const ScratchFolder folder;
  ThreadPool pool(1);
  FileResources resources(folder.path() / "step", pool, size_t{1} << 20);
  PieceLog log(resources);
  const Rng rng(8);
  std::vector<std::vector<uint64_t>> documents;
  uint64_t pieces = 0;
  for (uint64_t d = 0; d < 3000; ++d) {
    // Some have none, one has more than is read at a time.
    std::vector<uint64_t> hashes(d == 1500 ? 20000 : rng.below(d, 30));
    for (size_t i = 0; i < hashes.size(); ++i) hashes[i] = d << 32 | i;
    log.append(hashes);
    pieces += hashes.size();
    documents.push_back(hashes);
  }
  CHECK(log.documents() == documents.size());
  CHECK(log.pieces() == pieces);
  for (const size_t from : {0, 1, 1499, 1501, 2999}) {
    PieceLogReader reader(log);
    size_t wrong = 0;
    for (size_t d = from; d < documents.size(); ++d) {
      const std::span<const uint64_t> found = reader.of(d);
      wrong += std::vector(found.begin(), found.end()) != documents[d];
    }
    CHECK(wrong == 0);
  }
}
