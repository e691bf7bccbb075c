#include "lib/corpus/dedup/seen_set.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <unordered_set>

#include "lib/base/rng.h"
#include "tests/scratch_folder.h"

using namespace llmtool;

namespace {

// Half of them seen before, with 0 and the largest value among them.
std::vector<uint64_t> stream(size_t count) {
  const Rng rng(3);
  std::vector<uint64_t> hashes(count);
  for (size_t i = 0; i < count; ++i) {
    hashes[i] = i % 2 == 0 ? rng.bits(i) : rng.bits(rng.below(i, i) / 2 * 2);
  }
  hashes[count / 3] = hashes[count / 2] = 0;
  hashes[count / 4] = hashes[count - 1] = ~uint64_t{0};
  return hashes;
}

}  // namespace

TEST_CASE("seen set: the answers of a set in memory, whatever the memory") {
  const ScratchFolder folder;
  const std::vector<uint64_t> hashes = stream(100000);
  for (const size_t memory : {size_t{1}, size_t{40} << 10, size_t{300} << 10, size_t{16} << 20}) {
    INFO("memory " << memory);
    std::unordered_set<uint64_t> expected;
    SeenSet seen(folder.path(), memory);
    size_t wrong = 0;
    const size_t count = memory == 1 ? 20000 : hashes.size();  // many searches on the disk
    for (size_t i = 0; i < count; ++i) {
      wrong += seen.insert(hashes[i]) != expected.insert(hashes[i]).second;
    }
    CHECK(wrong == 0);
    for (size_t i = 0; i < count; i += 7) wrong += !seen.contains(hashes[i]);
    for (size_t i = 0; i < count; i += 7) wrong += seen.contains(hashes[i] ^ 0x5555);
    CHECK(wrong == 0);
    CHECK(fs::is_empty(folder.path()));
  }
}

TEST_CASE("seen set: sorted hashes of a file are members") {
  const ScratchFolder folder;
  std::vector<uint64_t> hashes = stream(30000);
  std::sort(hashes.begin(), hashes.end());
  const std::string header = "a header of 24 bytes .. ";
  write_file(folder.path() / "sorted",
             header + std::string(reinterpret_cast<const char*>(hashes.data()), hashes.size() * 8));
  auto file = std::make_shared<PositionedFile>(PositionedFile::open(folder.path() / "sorted"));
  for (const size_t memory : {size_t{1}, size_t{1} << 20}) {
    std::unordered_set<uint64_t> expected(hashes.begin(), hashes.end());
    SeenSet seen(folder.path(), memory);
    seen.add_sorted(file, header.size(), hashes.size());
    size_t wrong = 0;
    for (size_t i = 0; i < hashes.size(); i += 11) {
      wrong += seen.insert(hashes[i]);
      wrong += seen.insert(hashes[i] + 1) != expected.insert(hashes[i] + 1).second;
    }
    CHECK(wrong == 0);
  }
}
