#include <doctest.h>

#include "tests/corpus/filters/filter_run.h"

namespace llmtool {
namespace {

FilterSettings condition(const std::string& text) {
  FilterSettings settings;
  settings.rules = {"attribute"};
  settings.conditions = {text};
  return settings;
}

Document document(std::string_view line) {
  Document made;
  made.id = "d1";
  made.line = line;
  made.path = "web.jsonl";
  made.line_number = 7;
  return made;
}

constexpr std::string_view kLine =
    R"({"id":"d1","text":"x","metadata":{"license":"MIT","stars":3},)"
    R"("attributes":{"lang":"de","perplexity":340.5,"gopher.words":12,"score":null}})";

bool keeps(const std::string& text) {
  return !run_filter(condition(text), document(kLine)).document.rejected;
}

TEST_CASE("conditions compare numbers and texts") {
  CHECK(keeps("attributes.perplexity <= 340.5"));
  CHECK_FALSE(keeps("attributes.perplexity<340.5"));
  CHECK(keeps("attributes.perplexity>=340.5"));
  CHECK_FALSE(keeps("attributes.perplexity > 340.5"));
  CHECK(keeps("attributes.lang in en,de"));
  CHECK(keeps("attributes.lang in en , de"));
  CHECK_FALSE(keeps("attributes.lang not in en,de"));
  CHECK(keeps("attributes.lang not in en,fr"));
  CHECK(keeps("metadata.license == MIT"));
  CHECK_FALSE(keeps("metadata.license != MIT"));
  CHECK(keeps("metadata.license=MIT"));
  CHECK(keeps("attributes.gopher.words >= 12"));
}

TEST_CASE("what was added counts before what was read") {
  Document made = document(kLine);
  made.attributes.push_back({"lang", "\"en\""});
  CHECK(run_filter(condition("attributes.lang == de"), made).document.rejected);
}

TEST_CASE("the figure and the condition stand in the rejection") {
  const Document made =
      run_filter(condition("attributes.perplexity <= 340"), document(kLine)).document;
  CHECK(made.rejection.rule == "attribute");
  CHECK(made.rejection.figure == "340.5");
  CHECK(made.rejection.expected == "attributes.perplexity <= 340");
}

TEST_CASE("a missing member, null and a text instead of a number are errors") {
  for (const std::string text : {"attributes.language in en", "attributes.score >= 0",
                                 "attributes.lang >= 0", "metadata.nothing != x"}) {
    INFO(text);
    try {
      run_filter(condition(text), document(kLine));
      FAIL("no error");
    } catch (const Error& error) {
      CHECK(error.fault() == Fault::kInput);
      CHECK(std::string(error.what()).find("web.jsonl:7") != std::string::npos);
    }
  }
}

TEST_CASE("conditions that make no sense are usage errors") {
  for (const std::string text : {"attributes.lang", "<= 3", "attributes.x <= ", "attributes.x <= y",
                                 "attributes.x >= nan", "attributes.x < inf"}) {
    INFO(text);
    try {
      FilterStep step(condition(text));
      FAIL("no error");
    } catch (const Error& error) {
      CHECK(error.fault() == Fault::kUsage);
    }
  }
}

TEST_CASE("the preset ccnet reads score and bucket") {
  FilterSettings settings;
  settings.rules = preset_rules("ccnet");
  Document made;
  made.text = std::string(300, 'x');
  const auto with = [&](double score, const std::string& bucket) {
    Document one = made;
    one.attributes = {{"language_score", json_number(score)},
                      {"perplexity_bucket", json_text(bucket)}};
    return run_filter(settings, one).document.rejection.rule;
  };
  CHECK(with(0.5, "head") == "");
  CHECK(with(0.49, "head") == "ccnet.language_score");
  CHECK(with(0.9, "tail") == "ccnet.perplexity_bucket");
  CHECK_THROWS_AS(run_filter(settings, made), Error);
  made.text.pop_back();
  CHECK(with(0.9, "head") == "length.characters");
}

TEST_CASE("extensions are read from the name of the file") {
  FilterSettings settings;
  settings.rules = {"code.extension"};
  const auto kept = [&](const std::string& path) {
    Document one;
    one.metadata = {{"path", json_text(path)}};
    return !run_filter(settings, one).document.rejected;
  };
  CHECK(kept("src/main.py"));
  CHECK(kept("a.b/Makefile"));
  CHECK_FALSE(kept("src/main.pyc"));
  CHECK_FALSE(kept("key.crt"));
  settings.extensions = {".crt"};
  CHECK(kept("key.crt"));
  CHECK_FALSE(kept("src/main.py"));
}

}  // namespace
}  // namespace llmtool
