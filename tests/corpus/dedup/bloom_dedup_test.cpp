#include "lib/corpus/dedup/bloom_dedup.h"

#include <cmath>
#include <doctest/doctest.h>

#include "lib/base/error.h"
#include "lib/base/rng.h"
#include "lib/corpus/dedup/exact_dedup.h"
#include "tests/corpus/dedup/step_runner.h"

using namespace llmtool;

namespace {

std::vector<Document> run_bloom(const BloomDedupOptions& options, std::vector<Document> documents,
                                StepRun run = {}, RecordedTally* tally = nullptr) {
  const ScratchFolder folder;
  return run_step([options] { return std::make_unique<BloomDedup>(options); }, std::move(documents),
                  folder.path() / "step", run, tally);
}

std::vector<Document> lines_of_few(size_t count) {
  const Rng rng(21);
  std::vector<Document> documents;
  for (size_t i = 0; i < count; ++i) {
    std::string text;
    for (uint64_t j = 0; j < 3; ++j) text += concat("line ", rng.below(3 * i + j, 500), "\n");
    documents.push_back(text_document(concat("d", i), text));
  }
  return documents;
}

std::string all_text(const std::vector<Document>& documents) {
  std::string all;
  for (const Document& d : documents) {
    all += concat(d.id, d.rejected ? "-" : "+", d.rejection.rule, d.rejection.figure, d.text, "\n");
  }
  return all;
}

std::string words(uint64_t from, uint64_t count) {
  std::string text;
  for (uint64_t i = 0; i < count; ++i) text += concat(i > 0 ? " " : "", "w", from + i);
  return text;
}

std::string message_of(const BloomDedupOptions& options, StepRun run = {}) {
  try {
    run_bloom(options, lines_of_few(2), run);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("bloom filter: sizes as the formulas have them") {
  const BloomShape shape = bloom_shape(1000000, 0.01);
  CHECK(shape.hashes == 7);
  CHECK(static_cast<double>(shape.bits) / 1e6 == doctest::Approx(9.585).epsilon(0.005));
  for (const double rate : {0.5, 0.1, 0.03, 1e-3, 1e-6, 1e-15}) {
    const BloomShape s = bloom_shape(50000, rate);
    CHECK(false_positive_rate(s, 50000) <= rate * (1 + 1e-9));
    CHECK(false_positive_rate(s, 50000) > rate * 0.99);
  }
  CHECK_THROWS_AS(bloom_shape(0, 0.1), Error);
  CHECK_THROWS_AS(bloom_shape(1, 0), Error);
  CHECK_THROWS_AS(bloom_shape(1, 1), Error);
  CHECK_THROWS_AS(bloom_shape(~uint64_t{0}, 1e-9), Error);
}

// Items are counters: the filter has to mix them itself.
TEST_CASE("bloom filter: nothing is forgotten, and the rate is the asked one") {
  for (const double rate : {0.1, 0.01, 0.001}) {
    constexpr uint64_t kItems = 30000, kOthers = 300000;
    BloomFilter filter(bloom_shape(kItems, rate));
    for (uint64_t i = 0; i < kItems; ++i) filter.insert(i);
    uint64_t forgotten = 0, wrong = 0;
    for (uint64_t i = 0; i < kItems; ++i) forgotten += !filter.contains(i);
    for (uint64_t i = 0; i < kOthers; ++i) wrong += filter.contains(kItems + i);
    CHECK(forgotten == 0);
    const double measured = static_cast<double>(wrong) / kOthers;
    INFO("asked " << rate << ", measured " << measured);
    CHECK(std::abs(measured - rate) < 5 * std::sqrt(rate / kOthers) + 0.05 * rate);
    CHECK(filter.fill() ==
          doctest::Approx(std::pow(rate, 1.0 / filter.shape().hashes)).epsilon(0.02));
  }
}

TEST_CASE("dedup bloom: what exact deduplication finds, at a low rate") {
  const std::vector<Document> documents = lines_of_few(400);
  const BloomDedupOptions options{
      .unit = "line", .expected_items = 1000, .false_positive_rate = 1e-9};
  const std::string expected = all_text(run_bloom(options, documents));
  const ScratchFolder folder;
  const auto exact =
      run_step([] { return std::make_unique<ExactDedup>(ExactDedupOptions{.unit = "line"}); },
               documents, folder.path() / "step");
  CHECK(kept_ids(exact).size() < documents.size());
  CHECK(expected == all_text(exact));
  for (const StepRun run :
       {StepRun{.threads = 4}, StepRun{.stop_at = 1}, StepRun{.stop_at = 222}}) {
    CHECK(all_text(run_bloom(options, documents, run)) == expected);
  }
  const auto twice =
      run_bloom({.expected_items = 10, .false_positive_rate = 1e-9},
                {text_document("a", "x"), text_document("b", "y"), text_document("c", "x")});
  CHECK(kept_ids(twice) == std::vector<std::string>{"a", "b"});
}

TEST_CASE("dedup bloom: n-grams seen before") {
  const BloomDedupOptions options{
      .unit = "ngram", .expected_items = 10000, .false_positive_rate = 1e-9};
  const std::vector<Document> documents{
      text_document("a", words(0, 60) + "\nshort\n" + words(100, 40)),
      text_document("same", words(0, 60)),
      text_document("line", words(0, 50) + "\nshort\n" + words(200, 80)),
      text_document("edited", words(0, 60) + " " + words(300, 10)),  // 48 of 58: 0.83
      text_document("new", words(0, 60) + " " + words(400, 20))};    // 48 of 68: 0.71
  RecordedTally tally;
  const auto after = run_bloom(options, documents, {}, &tally);
  CHECK(kept_ids(after) == std::vector<std::string>{"a", "line", "new"});
  CHECK(after[2].text == "short\n" + words(200, 80));
  CHECK(after[1].rejection.rule == "ngram_overlap");
  CHECK(after[1].rejection.figure == "1");
  CHECK(after[3].rejection.figure == concat(48.0 / 58));
  REQUIRE(tally.figures.size() == 5);
  CHECK(tally.figures[4].second == 48.0 / 68);
}

TEST_CASE("dedup bloom: a filter that is kept") {
  const ScratchFolder folder;
  const std::vector<Document> documents = lines_of_few(300);
  BloomDedupOptions options{.unit = "line", .expected_items = 600, .false_positive_rate = 1e-9};
  const std::string at_once = all_text(run_bloom(options, documents));
  options.index = folder.path() / "filter";
  std::string in_two = all_text(run_bloom(options, {documents.begin(), documents.begin() + 99}));
  in_two +=
      all_text(run_bloom(options, {documents.begin() + 99, documents.end()}, {.stop_at = 50}));
  CHECK(in_two == at_once);

  auto other = options;
  other.seed = 2;
  CHECK(message_of(other).find("seed=1") != std::string::npos);
  other = options;
  other.expected_items = 601;
  CHECK(message_of(other).find("expected-items=600") != std::string::npos);
  const std::string bits = read_file(options.index / "bits");
  write_file(options.index / "bits", bits.substr(0, bits.size() - 8));
  CHECK(message_of(options).find("bytes, expected") != std::string::npos);
  write_file(options.index / "bits", std::string(bits.size(), '\1'));
  CHECK(message_of(options).find("checksum") != std::string::npos);
}

TEST_CASE("dedup bloom: a filter that is too large is refused") {
  CHECK(message_of({.expected_items = 1000000}, {.memory = 100000}).find("--memory leaves") !=
        std::string::npos);
  CHECK_THROWS_AS(BloomDedup({.unit = "page", .expected_items = 1}), Error);
  CHECK_THROWS_AS(BloomDedup({.expected_items = 1, .min_ngram = 14}), Error);
  CHECK_THROWS_AS(BloomDedup({.expected_items = 1, .overlap = 2}), Error);
}
