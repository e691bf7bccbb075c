#include <doctest.h>

#include "lib/corpus/filters/phrase_set.h"
#include "tests/corpus/filters/filter_run.h"
#include "tests/scratch_folder.h"

namespace llmtool {
namespace {

uint64_t times(const PhraseSet& set, std::string_view text) {
  return set.count_in(text).times;
}

TEST_CASE("words are found between borders, phrases too") {
  const PhraseSet set({"Bad", "very bad", "b-a.d", "\xf0\x9f\x96\x95", "2g",
                       "\xd0\x9f\xd0\x9b\xd0\x9e\xd0\xa5\xd0\x9e"},
                      true);
  CHECK(times(set, "bad") == 1);
  CHECK(times(set, "badly not_bad abad bad2") == 0);
  CHECK(times(set, "a bad, bad (bad) day-bad") == 4);
  CHECK(times(set, "very bad") == 1);
  CHECK(times(set, "very bad bad") == 2);
  CHECK(times(set, "very badly") == 0);
  CHECK(times(set, "x b-a.d y") == 1);
  CHECK(times(set, "b-a.dx") == 0);
  CHECK(times(set, "so\xf0\x9f\x96\x95") == 0);
  CHECK(times(set, "so \xf0\x9f\x96\x95!") == 1);
  CHECK(times(set, "\xd0\xbf\xd0\xbb\xd0\xbe\xd1\x85\xd0\xbe") == 1);  // in small letters
  CHECK(times(set, "") == 0);
  CHECK(set.count_in("a very bad day").first == "very bad");
}

TEST_CASE("without borders words are found inside words") {
  const PhraseSet set({"ab", "abc", "x", "\xe6\x80\xa7"}, false);
  CHECK(times(set, "zabcz") == 1);
  CHECK(times(set, "abab") == 2);
  CHECK(times(set, "xx") == 2);
  CHECK(times(set, "\xe4\xb8\x8d\xe6\x80\xa7\xe4\xb8\x8d") == 1);
  CHECK(set.count_in("abcab").first == "abc");
}

struct Lists {
  ScratchFolder folder;
  std::string file(const std::string& name, const std::string& content) const {
    write_file(folder.path() / name, content);
    return (folder.path() / name).string();
  }
};

TEST_CASE("words of a list are counted and divided by the words") {
  const Lists lists;
  FilterSettings settings;
  settings.rules = {"words.share", "words.count"};
  settings.bounds["words.count"] = {{}, 2};
  settings.bounds["words.share"] = {{}, 0.5};
  settings.word_lists = {lists.file("words", "# a comment\n\n bad \r\nworse\n")};
  const FilterRun run = run_filter(settings, "A Bad day, a WORSE day: one two three");
  CHECK_FALSE(run.document.rejected);
  CHECK(run.tally.recorded.at("words.count") == 2);
  CHECK(run.tally.recorded.at("words.share") == doctest::Approx(2.0 / 9));
  const Document dropped = run_filter(settings, "bad bad bad day day day").document;
  CHECK(dropped.rejection.rule == "words.count");
  CHECK(dropped.rejection.figure == "3 (first: 'bad')");
}

TEST_CASE("lists that cannot be read are errors") {
  const Lists lists;
  FilterSettings settings;
  settings.rules = {"words.count"};
  settings.word_lists = {(lists.folder.path() / "none").string()};
  CHECK_THROWS_AS(FilterStep{settings}, Error);
  settings.word_lists = {lists.file("empty", "# nothing\n")};
  CHECK_THROWS_WITH_AS(FilterStep{settings}, doctest::Contains("the list has no entry"), Error);
  settings.word_lists = {lists.file("bytes", "good\n\xff\xfe\n")};
  CHECK_THROWS_WITH_AS(FilterStep{settings}, doctest::Contains("bytes:2: the list has bytes"),
                       Error);
}

TEST_CASE("URLs are dropped by domain, address, words and parts") {
  const Lists lists;
  FilterSettings settings;
  settings.domain_lists = {lists.file("domains", "Evil.com\nsub.mixed.org\n")};
  settings.url_lists = {lists.file("urls", "http://fine.org/but/not/this\n")};
  settings.url_word_lists = {lists.file("hard", "casino\n")};
  settings.url_soft_word_lists = {lists.file("soft", "adult\nhot\n")};
  settings.url_substring_lists = {lists.file("parts", "por-n\n")};
  settings.rules = {"url.domain", "url.url", "url.words", "url.soft_words", "url.substrings"};
  const auto decided = [&](const std::string& url) {
    Document document;
    document.metadata = {{"url", json_text(url)}};
    const Document run = run_filter(settings, document).document;
    return run.rejection.rule + (run.rejected ? " " + run.rejection.figure : "");
  };
  CHECK(decided("http://fine.org/page?q=1") == "");
  CHECK(decided("https://www.EVIL.com:8080/x") == "url.domain evil.com");
  CHECK(decided("https://notevil.com/") == "");
  CHECK(decided("https://mixed.org/") == "");
  CHECK(decided("https://user@a.sub.mixed.org./") == "url.domain sub.mixed.org");
  CHECK(decided("http://fine.org/but/not/this") == "url.url http://fine.org/but/not/this");
  CHECK(decided("http://fine.org/Casino-games") == "url.words casino");
  CHECK(decided("http://fine.org/casinogames") == "");
  CHECK(decided("http://fine.org/hot-soup") == "");
  CHECK(decided("http://fine.org/hot/adult") == "url.soft_words adult");
  CHECK(decided("http://fine.org/po-rnx") == "url.substrings porn");
  CHECK_THROWS_AS(run_filter(settings, "no url"), Error);
}

}  // namespace
}  // namespace llmtool
