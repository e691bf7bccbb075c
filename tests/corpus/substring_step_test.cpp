#include <doctest.h>

#include "lib/base/error.h"
#include "lib/corpus/dedup/substring.h"
#include "tests/corpus/step_run.h"

using namespace llmtool;

namespace {

const std::string kLong = "all the words of this sentence come a second time\n\n";

std::vector<std::string> deduplicated(const SubstringOptions& options,
                                      const std::vector<std::string>& texts) {
  TestTally tally;
  const auto step = make_substring_dedup(options);
  std::vector<std::string> result;
  for (const Document& document : run_step(*step, texts, tally)) {
    result.push_back(document.rejected ? "dropped: " + document.rejection.rule : document.text);
  }
  return result;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("dedup substring takes out words with the white space behind") {
  SubstringOptions options;
  options.rule.min_length = 8;
  const Texts texts = {"First. " + kLong + "End.", "short", "Before\n\n" + kLong + "after it",
                       kLong, ""};
  CHECK(deduplicated(options, texts) ==
        Texts{texts[0], "short", "Before\n\nafter it", "dropped: bytes_left", ""});
  options.rule.keep_first = false;
  CHECK(deduplicated(options, texts)[0] == "First. End.");
  options.min_bytes = 17;
  CHECK(deduplicated(options, texts)[2] == "dropped: bytes_left");
}

TEST_CASE("dedup substring cuts bytes back to whole characters") {
  SubstringOptions options;
  options.rule = {SubstringUnit::kBytes, 6, true};
  // Both begin with the last byte of a character: U+00E9 and U+0129 end in A9.
  const std::string tail = "abcdef";
  CHECK(deduplicated(options, {"\xc3\xa9" + tail, "\xc4\xa9" + tail}) ==
        Texts{"\xc3\xa9" + tail, "\xc4\xa9"});
  options.rule.unit = SubstringUnit::kCharacters;
  CHECK(
      deduplicated(options,
                   {"\xe4\xb8\x80\xe4\xb8\x81\xe4\xb8\x82\xe4\xb8\x83\xe4\xb8\x84\xe4\xb8\x85",
                    "x\xe4\xb8\x80\xe4\xb8\x81\xe4\xb8\x82\xe4\xb8\x83\xe4\xb8\x84\xe4\xb8\x85"}) ==
      Texts{"\xe4\xb8\x80\xe4\xb8\x81\xe4\xb8\x82\xe4\xb8\x83\xe4\xb8\x84\xe4\xb8\x85", "x"});
}

TEST_CASE("dedup substring leaves no document of white space, and cuts out whole characters") {
  SubstringOptions options;
  options.rule.min_length = 2;
  CHECK(deduplicated(options, {"b c", " b c", "b c\n", "\xe2\x80\x83 b c"}) ==
        Texts{"b c", "dropped: bytes_left", "dropped: bytes_left", "dropped: bytes_left"});
  options.min_bytes = 0;
  CHECK(deduplicated(options, {"b c", " b c"}) == Texts{"b c", " "});
  options.rule = {SubstringUnit::kBytes, 1, true};
  CHECK(deduplicated(options, {"\xc3\xa9", "\xc3\xa9x"}) == Texts{"\xc3\xa9", "x"});
}

TEST_CASE("dedup substring knows the text of earlier runs") {
  ScratchFolder folder;
  SubstringOptions options;
  options.rule.min_length = 8;
  options.index = folder.path() / "seen";
  CHECK(deduplicated(options, {"a " + kLong}) == Texts{"a " + kLong});
  CHECK(deduplicated(options, {"b " + kLong + "c"}) == Texts{"b c"});
  CHECK(deduplicated(options, {"words that are new in the third run only", "d " + kLong}) ==
        Texts{"words that are new in the third run only", "d "});
}

TEST_CASE(
    "dedup substring: repeats that overlap, shifted by a word where the white space is other") {
  SubstringOptions options;
  options.rule.min_length = 3;
  options.min_bytes = 0;
  CHECK(deduplicated(options, {"ç a a a a dd", "x ç  a  a\na\ndd dd"}) ==
        Texts{"ç a a a a dd", "x dd"});
}

TEST_CASE("dedup substring tells what it did") {
  SubstringOptions options;
  options.rule.min_length = 8;
  TestTally tally;
  const auto step = make_substring_dedup(options);
  run_step(*step, {kLong, "x " + kLong + "y"}, tally);
  REQUIRE(tally.changes.size() == 1);
  CHECK(tally.changes[0].removed == kLong);
  CHECK(tally.changes[0].bytes == kLong.size());
  CHECK(step->facts()[1].text == std::to_string(kLong.size() - 2));
  options.rule.min_length = 0;
  CHECK_THROWS_AS(make_substring_dedup(options), Error);
  options.rule = {SubstringUnit::kTokens, 50, true};
  CHECK_THROWS_AS(make_substring_dedup(options), Error);
}
