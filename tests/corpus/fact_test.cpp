#include "lib/corpus/fact.h"

#include <cmath>
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace llmtool;

TEST_CASE("facts: numbers are numbers in JSON, under keys that programs like") {
  const std::vector<Fact> facts = {
      fact("documents", 3U),
      fact("distinct ids, estimated", 2.0, "2 (66.7%)"),
      fact("least repeat", "50 \"words\""),
      fact("n-grams (all)", uint64_t{1} << 63),
      fact("words a document", NAN, "-"),
      fact_in("domains", fact("a-b.example", 2)),
      fact_in("domains", fact("C.example", 1)),
  };
  CHECK(facts[1].text == "2 (66.7%)");
  CHECK(facts[3].text == "9223372036854775808");
  CHECK(nlohmann::json::parse(facts_json(facts)) ==
        nlohmann::json::parse(R"({"documents": 3, "distinct_ids_estimated": 2,
          "least_repeat": "50 \"words\"", "n_grams_all": 9223372036854775808,
          "words_a_document": null, "domains": {"a-b.example": 2, "C.example": 1}})"));
  CHECK(facts_json({}) == "{}");
  CHECK(facts_json({fact("model", "a\xff.bin"), fact_in("sets", fact("\xfe", 1))}) ==
        "{\"model\":\"a\xEF\xBF\xBD.bin\",\"sets\":{\"\xEF\xBF\xBD\":1}}");
}
