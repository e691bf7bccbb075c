#include "lib/io/document.h"

#include <deque>
#include <doctest/doctest.h>

#include "lib/base/error.h"
#include "lib/io/json_members.h"
#include "lib/io/jsonl.h"

using namespace llmtool;

namespace {

Document parsed(std::string_view line, const std::string& text_member = "text") {
  static std::deque<DocumentParser> parsers;  // a document keeps the name of its text's member
  parsers.emplace_back(text_member);
  Document document;
  CHECK(parsers.back().parse(line, document) == "");
  return document;
}

std::string written(const Document& document) {
  std::string out;
  append_document(out, document);
  return out;
}

}  // namespace

TEST_CASE("an unchanged document is written as it came") {
  const std::string line = R"( {"z":1.10, "text" : "a\u00e9","id":7 } )";
  CHECK(written(parsed(line)) == line + "\n");
}

TEST_CASE("a changed document keeps every other member byte for byte") {
  const std::string line =
      R"({"x":1.10,"id" : "a\"b","text":"old","metadata":{"u":[1, 2.0],"l":"\u0065n"},)"
      R"("attributes":{"s":0.50},"deep":{"text":"}\"{","k":[{}]},"n":null})";
  Document document = parsed(line);
  document.text = "new\n";
  document.text_changed = true;
  CHECK(written(document) ==
        R"({"id":"a\"b","text":"new\n","metadata":{"u":[1, 2.0],"l":"\u0065n"},)"
        R"("attributes":{"s":0.50},"x":1.10,"deep":{"text":"}\"{","k":[{}]},"n":null})"
        "\n");
  document.attributes = {{"s", "1"}, {"t", "true"}, {"s", "2"}};
  document.metadata = {{"l", "\"de\""}};
  CHECK(written(document) ==
        R"({"id":"a\"b","text":"new\n","metadata":{"u":[1, 2.0],"l":"de"},)"
        R"("attributes":{"t":true,"s":2},"x":1.10,"deep":{"text":"}\"{","k":[{}]},"n":null})"
        "\n");
}

TEST_CASE("members that are no objects stay, unless something is added to them") {
  Document document = parsed(R"({"text":"t","metadata":"src","attributes":null})");
  document.text_changed = true;
  CHECK(written(document) == R"({"text":"t","metadata":"src","attributes":null})"
                             "\n");
  document.attributes.push_back({"a", "1"});
  CHECK(written(document) == R"({"text":"t","metadata":"src","attributes":{"a":1}})"
                             "\n");
  document.metadata.push_back({"b", "2"});
  CHECK_THROWS_WITH_AS(written(document), doctest::Contains("'metadata' is no object"), Error);
}

TEST_CASE("values are found by the path of their names") {
  Document document =
      parsed(R"({"id":5,"text":"t","metadata":{"url":"u","a.b":1,"c":{"d":true}}})");
  CHECK(document.id == "5");
  CHECK(member(document, "metadata.url").text == "u");
  CHECK(member(document, "metadata.a.b").number == 1);
  CHECK(member(document, "metadata.c.d").text == "true");
  CHECK(!member(document, "metadata.none").found);
  CHECK(!member(document, "attributes.x").found);
  document.attributes.push_back({"x", "0.25"});
  CHECK(member(document, "attributes.x").number == 0.25);
  document.metadata.push_back({"url", "\"v\""});
  CHECK(member(document, "metadata.url").text == "v");
  document.path = "a.jsonl";
  document.line_number = 3;
  CHECK_THROWS_WITH_AS(required_member(document, "attributes.y"),
                       doctest::Contains("a.jsonl:3: the document has no 'attributes.y'"), Error);
  CHECK_THROWS_AS(member(document, ".a"), Error);
}

TEST_CASE("the text has the name it came with") {
  Document document = parsed(R"({"content":"c","text":1})", "content");
  document.text_changed = true;
  CHECK(written(document) == "{\"content\":\"c\",\"text\":1}\n");
}
