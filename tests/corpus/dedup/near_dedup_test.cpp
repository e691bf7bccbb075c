#include "lib/corpus/dedup/near_dedup.h"

#include <algorithm>
#include <cmath>
#include <doctest/doctest.h>
#include <set>

#include "kernels/hash/min_hash.h"
#include "lib/base/error.h"
#include "lib/base/rng.h"
#include "lib/corpus/dedup/min_hasher.h"
#include "lib/corpus/dedup/shingle_sets.h"
#include "tests/corpus/dedup/step_runner.h"

using namespace llmtool;

namespace {

MakeStep maker(const NearDedupOptions& options) {
  return [options] { return std::make_unique<NearDedup>(options); };
}

std::vector<Document> run_near(const NearDedupOptions& options, std::vector<Document> documents,
                               StepRun run = {}) {
  const ScratchFolder folder;
  return run_step(maker(options), std::move(documents), folder.path() / "step", run);
}

std::string word(uint64_t n) {
  return concat("w", n);
}

// A pair of texts of words that no other text has, `same` of whose shingles of one word are common:
// the Jaccard similarity is same / (2 * size - same).
std::pair<std::string, std::string> planted(uint64_t pair, int size, int same) {
  std::string a, b;
  for (int i = 0; i < size; ++i) {
    const auto common = word(pair * 100000 + static_cast<uint64_t>(i));
    a += common + " ";
    b += (i < same ? common : common + "x") + " ";
  }
  return {a, b};
}

// Of a text: some words changed, so that similarities of all sizes come about.
std::vector<Document> families(size_t count, uint64_t seed) {
  const Rng rng(seed);
  std::vector<Document> documents;
  uint64_t at = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t family = rng.below(at++, count / 4 + 1);
    const uint64_t edits = rng.below(at++, 6);
    std::string text;
    for (uint64_t w = 0; w < 60; ++w) {
      const bool edited = rng.below(at++, 60) < edits;
      text += word(edited ? rng.below(at++, 1000) : 1000 + family * 60 + w) + " ";
    }
    documents.push_back(text_document(concat("d", i), text));
  }
  return documents;
}

std::string all_text(const std::vector<Document>& documents) {
  std::string all;
  for (const Document& d : documents) {
    all += concat(d.id, d.rejected ? "-" : "+", d.rejection.rule, d.rejection.figure, "\n");
  }
  return all;
}

std::set<std::string> kept_set(const std::vector<Document>& documents) {
  const auto ids = kept_ids(documents);
  return {ids.begin(), ids.end()};
}

}  // namespace

TEST_CASE("min_hash: the least images, the same at every level") {
  const Rng rng(5);
  constexpr int64_t kPermutations = 112, kCount = 77;
  std::vector<uint32_t> hashes, a, b;
  for (uint64_t i = 0; i < kCount; ++i) hashes.push_back(static_cast<uint32_t>(rng.bits(i)));
  for (uint64_t i = 0; i < kPermutations; ++i) {
    a.push_back(static_cast<uint32_t>(rng.bits(1000 + i)) | 1);
    b.push_back(static_cast<uint32_t>(rng.bits(2000 + i)));
  }
  std::vector<uint32_t> expected(kPermutations, ~uint32_t{0});
  for (size_t p = 0; p < kPermutations; ++p) {
    for (const uint32_t h : hashes) {
      uint32_t x = h * a[p] + b[p];
      x = (x ^ x >> 15) * 0x2c1b3c6du;
      expected[p] = std::min(expected[p], x);
    }
  }
  std::vector<uint32_t> signature;
  const auto args = [&] {
    signature.assign(kPermutations, ~uint32_t{0});
    return MinHash{signature.data(), hashes.data(), a.data(), b.data(), kCount, kPermutations};
  };
  min_hash_baseline(args());
  CHECK(signature == expected);
  ThreadPool pool(1);
  for (const Isa isa : available_isas()) {
    Stream stream;
    stream.isa = isa;
    stream.pool = &pool;
    INFO(name_of(isa));
    min_hash(args(), stream);
    CHECK(signature == expected);
  }
}

// The share of rows that agree estimates the similarity: its error over many pairs is that of
// independent permutations, sqrt(s (1 - s) / n).
TEST_CASE("min_hash: signatures agree as often as the sets") {
  constexpr int kPairs = 300, kHashes = 128, kSize = 90;
  const MinHasher hasher(kHashes, 1, 7);
  Shingler shingler({.words = true, .size = 1, .normalisation = Normalisation::kNone});
  std::vector<uint32_t> a, b, sa, sb;
  for (const int same : {60, 75, 84}) {
    const double s = same / (2.0 * kSize - same);
    double sum = 0, squares = 0;
    for (uint64_t pair = 0; pair < kPairs; ++pair) {
      const auto [first, second] = planted(pair, kSize, same);
      shingler.shingle(first, a);
      shingler.shingle(second, b);
      hasher.sign(a, sa);
      hasher.sign(b, sb);
      int agree = 0;
      for (size_t i = 0; i < kHashes; ++i) agree += sa[i] == sb[i];
      const double error = agree / static_cast<double>(kHashes) - s;
      sum += error;
      squares += error * error;
    }
    INFO("similarity " << s);
    const double deviation = std::sqrt(s * (1 - s) / kHashes);
    CHECK(std::abs(sum / kPairs) < 4 * deviation / std::sqrt(kPairs));
    CHECK(std::sqrt(squares / kPairs) == doctest::Approx(deviation).epsilon(0.15));
  }
}

// Five similarities; what is found lies within four deviations of 1 - (1 - s^r)^b, and nothing is
// found that is not alike.
TEST_CASE("dedup near: recall as the theory of bands and rows has it") {
  constexpr int kPairs = 600, kSize = 90;
  for (const BandsAndRows lsh : {BandsAndRows{14, 8}, BandsAndRows{20, 5}}) {
    for (const int same : {60, 68, 75, 80, 85}) {
      const double s = same / (2.0 * kSize - same);
      std::vector<Document> documents;
      for (uint64_t pair = 0; pair < kPairs; ++pair) {
        const auto [a, b] = planted(pair, kSize, same);
        documents.push_back(text_document(concat("a", pair), a));
        documents.push_back(text_document(concat("b", pair), b));
      }
      const NearDedupOptions options{
          .normalise = "none", .shingle_size = 1, .bands = lsh.bands, .rows = lsh.rows};
      int joined = 0, precise = 0;
      for (const Document& d : run_near(options, documents)) {
        if (!d.rejected) continue;
        ++joined;
        precise += d.id.substr(1) == d.rejection.figure.substr(1);  // the other one of its pair
      }
      CHECK(precise == joined);
      const double found = static_cast<double>(joined) / kPairs;
      const double expected = candidate_probability(s, lsh);
      const double deviation = std::sqrt(expected * (1 - expected) / kPairs);
      INFO("similarity " << s << ": found " << found << ", theory " << expected);
      CHECK(std::abs(found - expected) <= 4 * deviation + 1.0 / kPairs);
    }
  }
}

TEST_CASE("dedup near: verified pairs are those of brute force") {
  const auto documents = families(400, 1);
  const NearDedupOptions loose{.shingle_size = 3, .bands = 60, .rows = 2, .verify = 0.7};
  const auto kept = kept_set(run_near(loose, documents));
  Shingler shingler({.words = true, .size = 3, .normalisation = Normalisation::kDatatrove});
  std::vector<std::vector<uint32_t>> sets(documents.size());
  for (size_t i = 0; i < sets.size(); ++i) {
    shingler.shingle(documents[i].text, sets[i]);
    make_set(sets[i]);
  }
  // Connected by pairs of at least 0.7: by brute force.
  std::vector<size_t> root(sets.size());
  for (size_t i = 0; i < root.size(); ++i) root[i] = i;
  const auto find = [&](size_t i) {
    while (root[i] != i) i = root[i];
    return i;
  };
  for (size_t i = 0; i < sets.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (jaccard(sets[i], sets[j]) >= 0.7) root[find(i)] = find(j);
    }
  }
  std::set<size_t> roots, kept_roots;
  for (size_t i = 0; i < root.size(); ++i) {
    roots.insert(find(i));
    if (kept.contains(documents[i].id)) kept_roots.insert(find(i));
  }
  CHECK(kept_roots == roots);              // one of each cluster at least,
  CHECK(kept.size() <= roots.size() + 4);  // and hardly ever more
  CHECK(kept.size() < documents.size() * 3 / 4);
}

TEST_CASE("dedup near: the same bytes at any number of threads, any memory, killed anywhere") {
  const auto documents = families(700, 2);
  for (const bool verified : {false, true}) {
    NearDedupOptions options{.shingle_size = 2};
    if (verified) options.verify = 0.6;
    const std::string expected = all_text(run_near(options, documents));
    CHECK(expected.find('-') != std::string::npos);
    for (const StepRun run : {StepRun{.threads = 4}, StepRun{.memory = 20000},
                              StepRun{.threads = 3, .stop_at = 1}, StepRun{.stop_at = 333}}) {
      CHECK(all_text(run_near(options, documents, run)) == expected);
    }
  }
}

TEST_CASE("dedup near: inputs in any order, the same set kept") {
  const auto documents = families(700, 3);
  for (const bool verified : {false, true}) {
    NearDedupOptions options{.shingle_size = 2};
    if (verified) options.verify = 0.6;
    const auto expected = kept_set(run_near(options, documents));
    CHECK(expected.size() < documents.size() * 3 / 4);
    std::vector<Document> other(documents.rbegin(), documents.rend());
    CHECK(kept_set(run_near(options, other)) == expected);
    std::rotate(other.begin(), other.begin() + 123, other.end());
    CHECK(kept_set(run_near(options, other)) == expected);
  }
}

TEST_CASE("dedup near: one of each cluster is kept, and named") {
  const std::string text = "the quick brown fox jumps over the lazy dog and runs away from it";
  const std::vector<Document> documents{
      text_document("short", text),
      text_document("long", text + "!!!"),
      text_document("other", "something else that has nothing to do with it at all"),
      text_document("empty", ""),
      text_document("blank", " ... "),
      text_document("few", "Two words"),
      text_document("same", "two, WORDS.")};
  const auto after = run_near({}, documents);
  CHECK(kept_ids(after) == std::vector<std::string>{"long", "other", "empty", "blank", "same"});
  CHECK(after[0].rejection.rule == "near_duplicate");
  CHECK(after[0].rejection.figure == "long");
  CHECK(kept_ids(run_near({.keep = "first"}, documents)) ==
        std::vector<std::string>{"short", "other", "empty", "blank", "few"});
}

TEST_CASE("dedup near: clusters are written and reported") {
  const ScratchFolder folder;
  std::unique_ptr<Step> step;
  const std::string text = "one two three four five six seven";
  run_step(maker({.clusters = folder.path() / "clusters.jsonl"}),
           {text_document("a", text), text_document("b", text + " "), text_document("c", "x y")},
           folder.path() / "step", {}, nullptr, &step);
  CHECK(read_file(folder.path() / "clusters.jsonl") ==
        "{\"kept\":\"b\",\"removed\":[\"a\"],\"size\":2,\"kept_in_index\":false}\n");
  CHECK(step->report_html().find("2 to 3") != std::string::npos);
}

TEST_CASE("dedup near: an index stands for what earlier runs kept") {
  const auto documents = families(600, 4);
  const std::vector<Document> early(documents.begin(), documents.begin() + 350);
  const std::vector<Document> late(documents.begin() + 350, documents.end());
  for (const bool verified : {false, true}) {
    const ScratchFolder folder;
    NearDedupOptions options{.shingle_size = 2, .index = folder.path() / "index"};
    if (verified) options.verify = 0.6;
    const auto kept_early = kept_ids(run_near(options, early));
    CHECK(documents_in_index(options.index) == kept_early.size());
    const auto after = run_near(options, late, {.threads = 2, .stop_at = 100});
    const auto kept_late = kept_ids(after);
    CHECK(documents_in_index(options.index) == kept_early.size() + kept_late.size());
    const std::set<std::string> in_index(kept_early.begin(), kept_early.end());
    size_t like_index = 0;
    for (const Document& d : after) {
      if (d.rejection.rule != "in_index") continue;
      ++like_index;
      CHECK(in_index.contains(d.rejection.figure));
    }
    CHECK(like_index > 20);
    // What is there is like itself.
    CHECK(kept_ids(run_near(options, documents)).empty());
    CHECK_THROWS_AS(run_near({.shingle_size = 3, .index = options.index}, late), Error);
  }
}

TEST_CASE("dedup near: settings that do not go together") {
  const auto fault = [](const NearDedupOptions& options) {
    try {
      NearDedup step(options);
    } catch (const Error& e) {
      return e.fault();
    }
    return Fault::kFailed;
  };
  CHECK(fault({.preset = "google"}) == Fault::kUsage);
  CHECK(fault({.bands = 3}) == Fault::kUsage);
  CHECK(fault({.bands = 100, .rows = 100}) == Fault::kUsage);
  CHECK(fault({.bands = 3, .rows = 2, .threshold = 0.5}) == Fault::kUsage);
  CHECK(fault({.num_hashes = 64}) == Fault::kUsage);
  CHECK(fault({.threshold = 1.5}) == Fault::kUsage);
  CHECK(fault({.verify = 2}) == Fault::kUsage);
  CHECK(fault({.keep = "none"}) == Fault::kUsage);
}
