#include "lib/io/jsonl.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace llmtool;

namespace {

std::string reason(std::string_view line) {
  Document document;
  return DocumentParser().parse(line, document);
}

Document parsed(std::string_view line) {
  Document document;
  REQUIRE(DocumentParser().parse(line, document) == "");
  return document;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("a document's id and text") {
  const Document d =
      parsed(R"({"id": "a1", "text": "x\ny \u00e9 \ud83d\ude00 \u0000.", "n": [1]})");
  CHECK(d.id == "a1");
  CHECK(d.text == std::string("x\ny \xc3\xa9 \xf0\x9f\x98\x80 \0.", 14));
  CHECK(parsed(R"({"text": "", "id": 42})").id == "42");
  CHECK(parsed(R"({"text": "t", "id": null})").id == "");
  CHECK(parsed(R"({"text": "first", "text": "second"})").text == "first");
  CHECK(parsed("{\"text\": \"a\"}\r").text == "a");
}

TEST_CASE("one parser reads many lines, nothing is left over") {
  DocumentParser parser("content");
  Document d;
  CHECK(parser.parse(R"({"id": "1", "content": "a", "text": 7})", d) == "");
  CHECK(parser.parse(R"({"content": "b"})", d) == "");
  CHECK(d.id == "");
  CHECK(d.text == "b");
}

TEST_CASE("what is wrong with a line is said") {
  CHECK(contains(reason(R"({"text": "a")"), "invalid JSON"));
  CHECK(contains(reason(R"({"text": "a"} x)"), "invalid JSON"));
  CHECK(contains(reason(R"({"text": "a", "skipped": tru})"), "invalid JSON"));
  CHECK(contains(reason("{\"text\": \"a\xff\"}"), "byte 12 of the line is not valid UTF-8"));
  CHECK(contains(reason("{\"text\": \"\xed\xa0\x80\"}"), "byte 11 of the line is not valid UTF-8"));
  CHECK(contains(reason(R"({"text": "\ud800"})"), "lone surrogate"));
  CHECK(contains(reason(R"({"text": "\udc00 x"})"), "lone surrogate"));
  CHECK(contains(reason(R"({"text": "\x"})"), "invalid escape"));
  CHECK(reason(R"({"tex": "a"})") == "has no member \"text\"");
  CHECK(reason(R"({"text": 5})") == "\"text\" is a number, expected a string");
  CHECK(reason(R"({"text": null})") == "\"text\" is null, expected a string");
  CHECK(reason(R"(["text"])") == "is an array, expected an object");
  CHECK(contains(reason(std::string(5000, '[')), "invalid JSON"));
}

TEST_CASE("numbers beyond 64 bits or a double are kept as they stand") {
  const std::string large = "123456789012345678901234567890";
  const std::string line = R"({"id": )" + large + R"(, "text": "t \"1e999\" 7", "n": [-1e400, 5]})";
  DocumentParser parser;
  Document d;
  REQUIRE(parser.parse(line, d) == "");
  CHECK(d.id == large);
  CHECK(d.text == "t \"1e999\" 7");
  CHECK(member(parsed(R"({"text": "t", "n": 1e400})"), "n").text == "1e400");
  CHECK(member(parsed(R"({"text": "t", "n": 1e400, "m": 7})"), "m").number == 7);
  Document changed = d;
  changed.text_changed = true;
  std::string out;
  append_document(out, changed);
  CHECK(contains(out, "\"id\":" + large));
  CHECK(contains(out, "[-1e400, 5]"));
  CHECK(reason(R"({"text": 1e400})") == "\"text\" is a number, expected a string");
  CHECK(contains(reason(R"({"text": "t", "n": 01e400})"), "invalid JSON"));
  CHECK(contains(reason(R"({"text": "t", "n": 1e})"), "invalid JSON"));
  CHECK(contains(reason(R"({"text": "t", "n": 1e400, "m": -})"), "invalid JSON"));
}

TEST_CASE("written documents read back") {
  std::string text;
  for (int c = 0; c < 128; ++c) text.push_back(static_cast<char>(c));
  text += "\xc2\x80 \xef\xbf\xbf \xf4\x8f\xbf\xbf";
  const std::string line = json_line("a\"b", text);
  CHECK(line.find('\n') == line.size() - 1);
  const Document d = parsed(line);
  CHECK(d.id == "a\"b");
  CHECK(d.text == text);
  CHECK(nlohmann::json::parse(line)["text"] == text);
  CHECK(json_line("", "t") == "{\"text\":\"t\"}\n");
}

TEST_CASE("what JSON wants escaped is escaped wherever it stands") {
  const auto escaped = [](std::string_view text) {
    std::string out = "|";
    append_json_string(out, text);
    return out;
  };
  // A byte at each place of texts of each length around the sizes that are looked at together.
  for (const size_t size : {1, 15, 16, 17, 33, 1023, 1024, 1025, 2100}) {
    const size_t step = size < 100 ? 1 : 37;
    for (size_t at = 0; at < size; at += step) {
      for (const auto& [byte, expected] :
           std::vector<std::pair<char, std::string>>{{'\0', R"(\u0000)"},
                                                     {'\x1f', R"(\u001f)"},
                                                     {'\n', R"(\n)"},
                                                     {'\r', R"(\r)"},
                                                     {'\t', R"(\t)"},
                                                     {'"', R"(\")"},
                                                     {'\\', R"(\\)"},
                                                     {' ', " "},
                                                     {'\x7f', "\x7f"},
                                                     {'\xff', "\xff"}}) {
        std::string text(size, 'a');
        text[at] = byte;
        const std::string rest(size - at - 1, 'a');
        REQUIRE(escaped(text) == "|\"" + std::string(at, 'a') + expected + rest + "\"");
      }
    }
  }
  const std::string control(3000, '\x01');
  std::string all = "|\"";
  for (size_t i = 0; i < control.size(); ++i) all += R"(\u0001)";
  CHECK(escaped(control) == all + "\"");
  CHECK(escaped("") == "|\"\"");
}
