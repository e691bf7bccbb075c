#include <cmath>
#include <doctest.h>

#include "tests/corpus/filters/filter_run.h"

namespace llmtool {
namespace {

FilterSettings rules(std::vector<std::string> names) {
  FilterSettings settings;
  settings.rules = std::move(names);
  return settings;
}

std::string message(const FilterSettings& settings) {
  try {
    FilterStep step(settings);
  } catch (const Error& error) {
    CHECK(error.fault() == Fault::kUsage);
    return std::string(error.what()) + " | " + error.hint();
  }
  return "";
}

TEST_CASE("every preset is made of rules that exist, and every rule has a description") {
  for (const std::string& preset : filter_presets()) {
    for (const std::string& rule : preset_rules(preset)) CHECK(find_filter_rule(rule).name == rule);
  }
  for (const FilterRule& rule : Catalog<FilterRule>::all()) {
    INFO(rule.name);
    CHECK_FALSE(rule.measures.empty());
    CHECK((rule.measure == nullptr) != (rule.make == nullptr));
    CHECK(rule.low < rule.high);
  }
}

TEST_CASE("the first rule that fails decides, with its figure") {
  const FilterRun run =
      run_filter(rules({"length.words", "length.bytes", "gopher.words"}), "a b c");
  CHECK(run.document.rejected);
  CHECK(run.document.rejection.rule == "gopher.words");
  CHECK(run.document.rejection.figure == "3");
  CHECK(run.document.rejection.expected == ">= 50");
  CHECK(run.tally.recorded.at("length.bytes") == 5);
}

TEST_CASE("bounds can be moved, and a figure on the bound stays") {
  FilterSettings settings = rules({"length.words"});
  settings.bounds["length.words"] = {3, 4};
  CHECK(run_filter(settings, "a b").document.rejected);
  CHECK_FALSE(run_filter(settings, "a b c").document.rejected);
  CHECK_FALSE(run_filter(settings, "a b c d").document.rejected);
  const Document long_one = run_filter(settings, "a b c d e").document;
  CHECK(long_one.rejection.expected == "<= 4");
  const FilterStep step(settings);
  CHECK(step.figures().at(0).at_least == 3);
  CHECK(step.figures().at(0).at_most == 4);
}

TEST_CASE("what makes no sense is named") {
  CHECK(message(rules({})).find("no rule to filter by") == 0);
  CHECK(message(rules({"gopher.wods"})).find("did you mean 'gopher.words'") != std::string::npos);
  CHECK(message(rules({"length.words", "length.words"})).find("given twice") != std::string::npos);
  FilterSettings settings = rules({"length.words"});
  settings.bounds["length.words"] = {std::nan(""), {}};
  CHECK(message(settings).find("not a finite number") != std::string::npos);
  settings.bounds["length.words"] = {3, 2};
  CHECK(message(settings).find("let nothing through") != std::string::npos);
  settings.bounds = {{"gopher.words", {1, 2}}};
  CHECK(message(settings).find("not among the rules") != std::string::npos);
  settings = rules({"c4.javascript"});
  settings.bounds["c4.javascript"] = {1, {}};
  CHECK(message(settings).find("has no threshold to set") != std::string::npos);
  CHECK(message(rules({"words.count"})).find("needs a --word-list") != std::string::npos);
  CHECK(message(rules({"url.domain"})).find("needs a --domain-list") != std::string::npos);
  CHECK(message(rules({"attribute"})).find("needs an --attribute") != std::string::npos);
  CHECK_THROWS_AS(preset_rules("gofer"), Error);
}

TEST_CASE("rules after a change of the text see what is left") {
  FilterSettings settings = rules({"c4.line_end", "length.words"});
  settings.bounds["length.words"] = {{}, 3};
  const Document kept = run_filter(settings, "one two three four\nIt is so.").document;
  CHECK_FALSE(kept.rejected);
  CHECK(kept.text == "It is so.");
}

TEST_CASE("a document far from English costs time in proportion to its size") {
  FilterSettings settings;
  for (const char* preset : {"gopher", "fineweb", "c4"}) {
    for (const std::string& rule : preset_rules(preset)) {
      if (std::find(settings.rules.begin(), settings.rules.end(), rule) == settings.rules.end())
        settings.rules.push_back(rule);
    }
  }
  settings.mark = true;
  for (const std::string part : {"(", ".", "a.", "@", "a@", "-", "[", "'s", "\xe2\x80\xa6", "[1",
                                 "http://", "a-", "\xf0\x9f\x98\x80", " ", "\n", "1."}) {
    std::string text;
    while (text.size() < (1u << 20)) text += part;
    const FilterRun run = run_filter(settings, text);
    CHECK(run.tally.recorded.at("gopher.words") >= 0);
  }
}

}  // namespace
}  // namespace llmtool
