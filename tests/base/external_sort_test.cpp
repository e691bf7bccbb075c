#include "lib/base/external_sort.h"

#include <compare>
#include <csignal>
#include <doctest/doctest.h>
#include <sys/resource.h>

#include "lib/base/rng.h"
#include "tests/scratch_folder.h"

using namespace llmtool;

namespace {

struct Pair {
  uint64_t key, value;
  auto operator<=>(const Pair&) const = default;
};

// The same with a prefix: its upper half, so that records with the same prefix differ.
struct PrefixedPair : Pair {
  auto operator<=>(const PrefixedPair&) const = default;
  uint64_t sort_prefix() const { return key >> 5; }
};

std::vector<Pair> random_pairs(size_t count, uint64_t keys) {
  const Rng rng(7, count);
  std::vector<Pair> pairs(count);
  for (size_t i = 0; i < count; ++i) pairs[i] = {rng.below(2 * i, keys), rng.bits(2 * i + 1) % 9};
  return pairs;
}

void write_pairs(const fs::path& path, const std::vector<Pair>& pairs) {
  write_file(path, {reinterpret_cast<const char*>(pairs.data()), pairs.size() * sizeof(Pair)});
}

std::vector<Pair> read_pairs(const fs::path& path) {
  const std::string bytes = read_file(path);
  std::vector<Pair> pairs(bytes.size() / sizeof(Pair));
  if (!pairs.empty()) std::memcpy(pairs.data(), bytes.data(), bytes.size());
  return pairs;
}

size_t files_in(const fs::path& folder) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(folder), {}));
}

}  // namespace

TEST_CASE("external sort: the order of std::sort at any size, memory and number of threads") {
  const ScratchFolder folder;
  for (const size_t count : {0, 1, 2, 1000, 50000, 50001}) {
    // The last: few keys, so that whole buckets have the same prefix.
    std::vector<Pair> pairs = random_pairs(count, count == 50001 ? 3 : count / 3 + 1);
    write_pairs(folder.path() / "in", pairs);
    std::sort(pairs.begin(), pairs.end());
    for (const int threads : {1, 2, 5}) {
      ThreadPool pool(threads);
      for (const size_t memory :
           {size_t{1}, size_t{16 << 10}, size_t{300 << 10}, size_t{8} << 20}) {
        if (memory == 1 && count > 1000) continue;  // runs of one record, merged two by two
        INFO(count << " records, " << threads << " threads, " << memory << " bytes");
        external_sort<Pair>(folder.path() / "in", folder.path() / "out",
                            {folder.path(), memory, &pool});
        CHECK((read_pairs(folder.path() / "out") == pairs));
        external_sort<PrefixedPair>(folder.path() / "in", folder.path() / "out",
                                    {folder.path(), memory, &pool});
        CHECK((read_pairs(folder.path() / "out") == pairs));
        CHECK(files_in(folder.path()) == 2);
      }
    }
  }
}

TEST_CASE("external sort: half a record is named") {
  const ScratchFolder folder;
  ThreadPool pool(1);
  write_file(folder.path() / "in", "twenty-one bytes long");
  try {
    external_sort<Pair>(folder.path() / "in", folder.path() / "out",
                        {folder.path(), 1 << 20, &pool});
    FAIL("nothing was thrown");
  } catch (const Error& e) {
    CHECK(e.fault() == Fault::kInput);
    CHECK(std::string(e.what()).find("21 bytes") != std::string::npos);
  }
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("external sort: a disk without room is an error and leaves nothing behind") {
  const ScratchFolder folder;
  ThreadPool pool(2);
  write_pairs(folder.path() / "in", random_pairs(100000, 1000));
  rlimit old{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &old) == 0);
  signal(SIGXFSZ, SIG_IGN);
  const rlimit small{200 << 10, old.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  Fault fault = Fault::kFailed;
  try {
    external_sort<Pair>(folder.path() / "in", folder.path() / "out",
                        {folder.path(), 100 << 10, &pool});
  } catch (const Error& e) {
    fault = e.fault();
  }
  setrlimit(RLIMIT_FSIZE, &old);
  CHECK(fault == Fault::kIo);
  CHECK(files_in(folder.path()) == 1);
}
