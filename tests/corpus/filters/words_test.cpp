#include "lib/corpus/filters/words.h"

#include <doctest.h>
#include <string>
#include <vector>

#include "lib/corpus/filters/run_cache.h"
#include "tests/corpus/filters/filter_run.h"

namespace llmtool {
namespace {

std::vector<std::string> words_of(WordSplitter& splitter, std::string_view text) {
  std::vector<Word> words;
  splitter.split(text, WordKind::kEnglish, words);
  std::vector<std::string> all;
  for (const Word& word : words) {
    all.push_back(std::string(word.in(text)) + "/" + std::to_string(word.characters) +
                  (word.is_alphabetic ? "a" : "") + (word.is_symbol ? "s" : "") +
                  (word.is_punct ? "p" : "") + (word.ends_sentence ? "e" : ""));
  }
  return all;
}

TEST_CASE("a run is cut into the same words whatever was cut before, and wherever it stands") {
  std::vector<std::string> runs{
      "(see", "don't",        "U.S.)", "1,000", "a\0b", "x", "\xe2\x80\x9cso\xe2\x80\x9d",
      ":-)",  "a-b/c=d,e;f.", "$5.00"};
  runs[4] = std::string("a\0", 2);
  runs.push_back(std::string("a\0\0", 3));
  for (const size_t bytes :
       {15, 16, 17, 31, 32, 33}) {  // about the sizes that are compared at once
    runs.push_back(std::string(bytes - 1, 'q') + "1");
    runs.push_back(std::string(bytes - 1, 'q') + "2");
    runs.push_back("(" + std::string(bytes - 2, 'q') + ")");
  }
  WordSplitter used;
  for (int round = 0; round < 2; ++round) {
    for (const std::string& run : runs) {
      CAPTURE(run);
      for (const std::string& text :
           {run, "1) " + run, run + " and more text than thirty-two bytes"}) {
        WordSplitter fresh;
        CHECK(words_of(used, text) == words_of(fresh, text));
        CHECK(used.count(text, WordKind::kEnglish) == words_of(fresh, text).size());
      }
    }
  }
}

TEST_CASE("runs take each other's places in the cache and are told apart") {
  const auto run = [](int i) { return "(" + std::to_string(i * 7919) + ")"; };
  WordSplitter used;
  std::string text;
  for (int i = 0; i < 10000; ++i) text += run(i) + " " + run(i / 2) + " ";
  size_t at = 0;
  std::vector<Word> words;
  used.split(text, WordKind::kEnglish, words);
  REQUIRE(words.size() == 60000);
  for (int i = 0; i < 10000; ++i) {
    for (const int number : {i, i / 2}) {
      const std::string whole = run(number);
      CHECK(words[at].in(text) == "(");
      CHECK(words[at + 1].in(text) == whole.substr(1, whole.size() - 2));
      CHECK(words[at + 2].in(text) == ")");
      at += 3;
    }
  }
}

TEST_CASE("symbols are counted at every place of a text") {
  FilterSettings settings;
  settings.rules = {"gopher.hash_ratio", "gopher.ellipsis_ratio"};
  settings.mark = true;
  const auto count = [](const std::string& text, const std::string& what) {
    double found = 0;
    for (size_t at = text.find(what); at != text.npos; at = text.find(what, at + what.size()))
      ++found;
    return found;
  };
  for (const std::string symbol :
       {"#", "...", "....", "......", "..", "…", "….", "...…", "#...#"}) {
    for (size_t before = 0; before < 40; ++before) {
      for (size_t behind = 0; behind < 20; behind += 3) {
        const std::string text =
            std::string(before, 'a') + symbol + std::string(behind, 'b') + symbol + " c";
        CAPTURE(text);
        WordSplitter splitter;
        const auto words = static_cast<double>(splitter.count(text, WordKind::kEnglish));
        const FilterRun run = run_filter(settings, text);
        CHECK(run.tally.recorded.at("gopher.hash_ratio") == count(text, "#") / words);
        CHECK(run.tally.recorded.at("gopher.ellipsis_ratio") ==
              (count(text, "...") + count(text, "…")) / words);
      }
    }
  }
}

}  // namespace
}  // namespace llmtool
