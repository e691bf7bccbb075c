#include "lib/infer/decoded_text.h"

#include <doctest/doctest.h>
#include <random>

using namespace llmtool;

namespace {

struct Read {
  std::string text;
  std::string stop;
};

// The text of tokens that are cut out of `bytes` at random.
Read read_in_pieces(const std::string& bytes, const std::vector<std::string>& stop,
                    std::mt19937& random, size_t longest) {
  DecodedText decoded(stop);
  std::string text;
  for (size_t at = 0; at < bytes.size() && !decoded.stopped();) {
    const size_t n = random() % (longest + 1);
    text += decoded.push(std::string_view(bytes).substr(at, n));
    at += n;
  }
  text += decoded.finish();
  return {text, decoded.stop_string()};
}

std::string read_whole(const std::string& bytes) {
  DecodedText decoded;
  std::string text = decoded.push(bytes);
  return text + decoded.finish();
}

}  // namespace

TEST_CASE("stop strings end the text wherever the tokens' borders fall") {
  struct Case {
    std::string bytes;
    std::vector<std::string> stop;
    Read expected;
  };
  const std::vector<Case> cases = {
      {"one two three", {" three"}, {"one two", " three"}},
      {"one two three", {"four"}, {"one two three", ""}},
      {"aab", {"ab"}, {"a", "ab"}},
      {"aaaaab", {"aaab"}, {"aa", "aaab"}},
      {"ababac", {"abac"}, {"ab", "abac"}},
      {"abcd", {"d", "bcd", "cd"}, {"a", "bcd"}},  // end together: the longest
      {"abcd", {"bcd", "c"}, {"ab", "c"}},         // the first to be complete
      {"Q: a\n\nQ:", {"\n\n", "Q: b"}, {"Q: a", "\n\n"}},
      {"stop", {"stop"}, {"", "stop"}},
      {"caf\u00e9 \U0001F600!", {"\U0001F600"}, {"caf\u00e9 ", "\U0001F600"}},
      {"x\u00e9", {"\xa9"}, {"x\ufffd", "\xa9"}},  // inside a character
      {"ends in a par", {"part"}, {"ends in a par", ""}},
  };
  std::mt19937 random(1);
  for (const Case& c : cases) {
    CAPTURE(c.bytes);
    for (int i = 0; i < 40; ++i) {
      const Read read = read_in_pieces(c.bytes, c.stop, random, 1 + random() % 5);
      REQUIRE(read.text == c.expected.text);
      REQUIRE(read.stop == c.expected.stop);
    }
  }
}

TEST_CASE("what may become a stop string, and half characters, are held back") {
  DecodedText decoded({"\nEND"});
  CHECK(decoded.push("one\nE") == "one");
  CHECK(decoded.push("N") == "");
  CHECK(decoded.push("S") == "\nENS");
  CHECK(decoded.push("\xf0\x9f") == "");
  CHECK(decoded.push("\x98\x80\n") == "\U0001F600");
  CHECK(decoded.finish() == "\n");
}

TEST_CASE("what is no UTF-8 becomes U+FFFD, one for each maximal part") {
  const std::string r = "\ufffd";
  // Unicode 15, table 3-8 to 3-11.
  CHECK(read_whole("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41") == r + r + r + r + r + r + r + r + "A");
  CHECK(read_whole("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41") == r + r + r + r + r + r + r + r + "A");
  CHECK(read_whole("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42") ==
        r + r + r + r + r + "A" + r + r + "B");
  CHECK(read_whole("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41") == r + r + r + r + "A");
  CHECK(read_whole("\xf0\x9f\x98") == r);
}

TEST_CASE("random bytes give the same text in any pieces") {
  std::mt19937 random(2);
  for (int i = 0; i < 300; ++i) {
    std::string bytes;
    for (size_t n = random() % 30; n > 0; --n) {
      static constexpr unsigned char kBytes[] = {'a',  'b',  0x80, 0xbf, 0xc3, 0xe0,
                                                 0xa0, 0xed, 0xf0, 0x90, 0xf4, 0x8f};
      bytes.push_back(static_cast<char>(kBytes[random() % 12]));
    }
    const Read read = read_in_pieces(bytes, {"abababab"}, random, 3);
    if (read.stop.empty()) REQUIRE(read.text == read_whole(bytes));
  }
}
