// The figures of every rule against those of datatrove, Dolma and the code of C4
// (tests/golden/make_corpus_filters.py).
#include <doctest.h>
#include <fstream>
#include <nlohmann/json.hpp>

#include "lib/corpus/filters/words.h"
#include "tests/corpus/filters/filter_run.h"

namespace llmtool {
namespace {

using Json = nlohmann::json;

const Json& cases() {
  static const Json all =
      Json::parse(std::ifstream(LLMTOOL_SOURCE_DIR "/tests/golden/corpus_filters.json"));
  return all;
}

void check_figures(const Json& expected, const std::string& text, FilterVariants variants) {
  FilterSettings settings;
  settings.mark = true;
  settings.variants = variants;
  for (const auto& [rule, figure] : expected.items()) settings.rules.push_back(rule);
  const FilterRun run = run_filter(settings, text);
  for (const auto& [rule, figure] : expected.items()) {
    INFO(rule);
    const double value = figure.get<double>();
    CHECK(run.tally.recorded.at(rule) == doctest::Approx(value).epsilon(1e-12));
    CHECK(member(run.document, "attributes." + rule).number == run.tally.recorded.at(rule));
  }
}

TEST_CASE("the golden has its texts") {
  CHECK(cases().size() > 40);
}

TEST_CASE("English words are those of spaCy") {
  WordSplitter splitter;
  for (const Json& one : cases()) {
    const std::string text = one["text"];
    INFO(text);
    std::vector<Word> words;
    splitter.split(text, WordKind::kEnglish, words);
    std::vector<std::string> found;
    for (const Word& word : words) found.emplace_back(word.in(text));
    CHECK(found == one["words"].get<std::vector<std::string>>());
  }
}

TEST_CASE("Gopher's, FineWeb's and the code rules measure what datatrove and RedPajama measure") {
  for (const Json& one : cases()) {
    const std::string text = one["text"];
    INFO(text);
    check_figures(one["datatrove"], text, {});
  }
}

TEST_CASE("the variant dolma measures what gopher_v1 measures") {
  for (const Json& one : cases()) {
    const std::string text = one["text"];
    INFO(text);
    check_figures(one["dolma"], text, {.gopher = GopherVariant::kDolma});
  }
}

TEST_CASE("C4 leaves the text that its code, its paper and datatrove leave") {
  const std::pair<const char*, C4Variant> variants[] = {{"tfds", C4Variant::kTfds},
                                                        {"paper", C4Variant::kPaper},
                                                        {"datatrove", C4Variant::kDatatrove}};
  size_t kept = 0;
  for (const Json& one : cases()) {
    for (const auto& [name, variant] : variants) {
      const std::string text = one["text"];
      INFO(name << ": " << text);
      FilterSettings settings;
      settings.rules = preset_rules("c4");
      settings.variants.c4 = variant;
      const FilterRun run = run_filter(settings, text);
      const Json& expected = one["c4"][name];
      CHECK(run.document.rejected == expected.is_null());
      if (expected.is_null()) continue;
      CHECK(run.document.text == expected.get<std::string>());
      ++kept;
    }
  }
  CHECK(kept > 20);
}

}  // namespace
}  // namespace llmtool
