#include "lib/corpus/ngram/buckets_step.h"

#include <doctest.h>

#include "lib/base/error.h"
#include "tests/corpus/step_run.h"

namespace llmtool {
namespace {

Document scored(const std::string& language, const std::string& perplexity, uint64_t index) {
  Document document;
  document.index = index;
  if (!language.empty()) document.attributes.push_back({"language", json_text(language)});
  if (!perplexity.empty()) document.attributes.push_back({"perplexity", perplexity});
  return document;
}

std::vector<Document> documents() {
  std::vector<Document> all;
  for (uint64_t i = 0; i < 11; ++i) {
    all.push_back(scored("en", std::to_string((i * 7 % 11) * 10), i));  // 0, 10, ... 100
    all.push_back(scored("de", std::to_string(1000 + i), i));
  }
  all.push_back(scored("en", "", 99));
  all.push_back(scored("", "5", 100));
  return all;
}

std::vector<std::string> buckets_of(Step& step) {
  TestResources resources;
  TestTally tally;
  if (Step* observer = step.observer()) {
    std::vector<Document> first = documents();
    observer->start(resources);
    pass(*observer, first, tally);
    step.conclude(resources);
  }
  std::vector<Document> second = documents();
  step.start(resources);
  pass(step, second, tally);
  step.finish(resources);
  std::vector<std::string> buckets;
  for (const Document& d : second)
    buckets.push_back(member(d, "attributes.perplexity_bucket").text);
  return buckets;
}

std::string expected(double perplexity, double head, double tail) {
  return perplexity < head ? "head" : perplexity < tail ? "middle" : "tail";
}

TEST_CASE("buckets by percentiles of each language") {
  const auto step = make_buckets_step({});
  const std::vector<std::string> buckets = buckets_of(*step);
  for (uint64_t i = 0; i < 11; ++i) {
    CHECK(buckets[2 * i] == expected(static_cast<double>(i * 7 % 11) * 10, 30, 60));
    CHECK(buckets[2 * i + 1] == expected(static_cast<double>(1000 + i), 1003, 1006));
  }
  CHECK(buckets[22] == "all");   // no perplexity
  CHECK(buckets[23] == "tail");  // alone in its language: no document is below it
  CHECK(step->report_html().find("<svg") != std::string::npos);
}

TEST_CASE("a table of cut-offs is written and read") {
  const ScratchFolder folder;
  const fs::path table = folder.path() / "cutoff.csv";
  const auto writer = make_buckets_step({.write_cutoffs = table});
  const auto written = buckets_of(*writer);
  const auto cutoffs = read_cutoffs(table, 30, 60);
  CHECK(cutoffs.at("en").head == 30);
  CHECK(cutoffs.at("de").tail == 1006);
  CHECK(read_cutoffs(table, 25, 100).at("en").head == 25);
  const auto reader = make_buckets_step({.cutoffs = table});
  CHECK(buckets_of(*reader) == written);
  CHECK_THROWS_AS(read_cutoffs(table, 30.5, 60), Error);
  write_file(table, ",en,xx\n30,340,\n60,520,\n");
  const auto foreign = make_buckets_step({.cutoffs = table});
  const auto buckets = buckets_of(*foreign);
  CHECK(buckets[0] == "head");
  CHECK(buckets[1] == "all");  // no cut-offs of German
}

TEST_CASE("bad tables of cut-offs are refused") {
  const ScratchFolder folder;
  const fs::path table = folder.path() / "cutoff.csv";
  for (const char* text : {"", "en\n", ",en\n30,1\n", ",en\n30,1,2\n60,3\n", ",en\n30,x\n60,1\n",
                           ",en\nthirty,1\n60,1\n"}) {
    write_file(table, text);
    CHECK_THROWS_AS(read_cutoffs(table, 30, 60), Error);
  }
}

TEST_CASE("percentiles lie where numpy has them") {
  CHECK(percentile_place(5, 50).below == 2);
  CHECK(percentile_place(5, 50).share == 0);
  CHECK(percentile_place(4, 50).below == 1);
  CHECK(percentile_place(4, 50).share == 0.5);
  CHECK(percentile_place(1, 30).below == 0);
  CHECK(percentile_place(7, 100).below == 6);
}

}  // namespace
}  // namespace llmtool
