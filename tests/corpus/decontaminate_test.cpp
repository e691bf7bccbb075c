#include "lib/corpus/decontaminate/decontaminate.h"

#include <doctest.h>

#include "lib/base/error.h"
#include "lib/base/rng.h"
#include "tests/corpus/step_run.h"
#include "tests/fuzz_rounds.h"

using namespace llmtool;

namespace {

std::string words(uint64_t seed, size_t count) {
  const Rng rng(seed);
  std::string text;
  for (size_t i = 0; i < count; ++i) {
    text += i == 0 ? "" : " ";
    for (uint64_t n = rng.below(i, 10'000'000); n > 0; n /= 26) {
      text += static_cast<char>('a' + n % 26);
    }
  }
  return text;
}

std::vector<std::string> cut_words(std::string_view text, bool zero = false) {
  std::vector<MatchWord> list;
  list_match_words(text, zero, list);
  std::vector<std::string> result;
  for (const MatchWord& word : list)
    result.emplace_back(text.substr(word.begin, word.end - word.begin));
  return result;
}

std::vector<uint64_t> hashes(std::string_view text, bool zero) {
  std::vector<MatchWord> list;
  list_match_words(text, zero, list);
  std::vector<uint64_t> result;
  for (const MatchWord& word : list) result.push_back(word.hash);
  return result;
}

std::vector<Overlap> find(const std::vector<EvalItem>& items, const OverlapRule& rule,
                          std::string_view text) {
  OverlapIndex::Scratch scratch;
  double best = 0;
  return OverlapIndex(items, rule).find(text, scratch, best);
}

using Words = std::vector<std::string>;

// A question of 40 words of which `changed` are others, far enough from each other to break the
// most n-grams, in the middle of other text.
std::string planted(const std::string& question, size_t changed) {
  std::string text = words(77, 200) + " ";
  size_t i = 0;
  for (const std::string& word : cut_words(question)) {
    const bool change = changed > 0 && i % (40 / changed) == 3 && i / (40 / changed) < changed;
    text += change ? concat("other", i, " ") : word + " ";
    ++i;
  }
  return text + words(78, 200);
}

}  // namespace

TEST_CASE("words of decontamination") {
  CHECK(cut_words("It's 10,000 km-long: Caf\xc3\xa9!") ==
        Words{"It", "s", "10", "000", "km", "long", "Caf\xc3\xa9"});
  CHECK(cut_words("It costs 10,000.5", true) == Words{"It", "costs", "10,000", "5"});
  CHECK(cut_words("\xe4\xb8\xad\xe6\x96\x87\xe3\x80\x82x \xe2\x80\x9cq\xe2\x80\x9d") ==
        Words{"\xe4\xb8\xad", "\xe6\x96\x87", "x", "q"});
  CHECK(hashes("CAF\xc3\x89 7", false) == hashes("cafe, 7", false));
  CHECK(hashes("x 12 y", true) == hashes("X 3.5 Y", true));
  CHECK(hashes("x 12 y", false) != hashes("x 13 y", false));
  CHECK(hashes("na\xc3\xafve123", true) == hashes("naive0", true));
  CHECK(cut_words("") == Words{});
}

TEST_CASE("a question is found by its share of n-grams") {
  const std::vector<EvalItem> items = {{"set", 1, words(1, 40), {}}, {"set", 2, words(2, 40), {}}};
  OverlapRule rule;
  rule.idf = false;
  // 36 n-grams of 5 words; a changed word breaks 5 of them, the first 4.
  const double shares[] = {1, 32.0 / 36, 27.0 / 36, 22.0 / 36, 17.0 / 36};
  for (const size_t changed : {0, 1, 2, 3, 4}) {
    OverlapIndex::Scratch scratch;
    double best = 0;
    const auto found =
        OverlapIndex(items, rule).find(planted(items[0].question, changed), scratch, best);
    CHECK(best == doctest::Approx(shares[changed]));
    REQUIRE(found.size() == (shares[changed] >= 0.8 ? 1 : 0));
    if (!found.empty()) CHECK(found[0].item == 0);
  }
}

TEST_CASE("the span that overlaps, and what is too far away") {
  const std::string question = words(1, 40);
  const std::vector<EvalItem> items = {{"set", 1, question, {}}};
  const std::string text = words(7, 30) + ": " + question + "; " + words(8, 30);
  const auto found = find(items, {}, text);
  REQUIRE(found.size() == 1);
  CHECK(text.substr(found[0].begin, found[0].end - found[0].begin) == question);
  CHECK(found[0].share == 1);
  const size_t half = question.find(' ', question.size() / 2);
  const auto parted = [&](size_t gap) {
    return question.substr(0, half) + " " + words(9, gap) + question.substr(half);
  };
  CHECK(find(items, {}, parted(5)).size() == 1);
  CHECK(find(items, {}, parted(11)).size() == 1);
  CHECK(find(items, {}, parted(12)).empty());
  CHECK(find(items, {}, "").empty());
}

TEST_CASE("short questions have to be there whole") {
  const std::vector<EvalItem> items = {
      {"set", 1, words(1, 25), {}}, {"set", 2, words(2, 26), {}}, {"set", 3, words(3, 4), {}}};
  OverlapRule rule;
  rule.idf = false;
  rule.min_share = 0.7;
  const auto without_last = [](std::string text) { return text.substr(0, text.rfind(' ')); };
  CHECK(find(items, rule, items[0].question).size() == 1);
  CHECK(find(items, rule, without_last(items[0].question)).empty());
  CHECK(find(items, rule, without_last(items[1].question)).size() == 1);
  CHECK(find(items, rule, items[2].question).empty());
  CHECK(OverlapIndex(items, rule).too_short() == 1);
  CHECK(find({{"set", 1, words(4, 8), {}}}, rule, words(4, 8)).size() == 1);
  CHECK(find({{"set", 1, words(4, 7), {}}}, rule, words(4, 7)).empty());
}

TEST_CASE("answers apart, and beside their question") {
  const std::vector<EvalItem> items = {{"set", 1, words(1, 30), {"blue", words(5, 30)}}};
  const std::string question = items[0].question;
  auto found = find(items, {}, question);
  REQUIRE(found.size() == 1);
  CHECK(found[0].answer == Overlap::Answer::kAbsent);
  found = find(items, {}, "Blue! " + question);
  REQUIRE(found.size() == 1);
  CHECK(found[0].answer == Overlap::Answer::kPresent);
  CHECK(find(items, {}, question + " " + words(6, 101) + " blue")[0].answer ==
        Overlap::Answer::kAbsent);
  found = find(items, {}, words(5, 30));
  REQUIRE(found.size() == 1);
  CHECK(found[0].part == EvalPart::kAnswer);
}

TEST_CASE("the rules of others") {
  const std::vector<EvalItem> items = {{"set", 1, words(1, 30), {words(2, 30)}}};
  const std::string question = items[0].question, answer = items[0].answers[0];
  const auto head = [](const std::string& text, size_t n) {
    size_t end = 0;
    for (size_t i = 0; i < n; ++i) end = text.find(' ', end + 1);
    return text.substr(0, end);
  };
  const OverlapRule datatrove = overlap_rule("datatrove"), gpt3 = overlap_rule("gpt3");
  CHECK(find(items, datatrove, question).empty());
  CHECK(find(items, datatrove, head(answer, 12)).size() == 1);
  CHECK(find(items, datatrove, head(answer, 11)).empty());
  CHECK(find(items, datatrove, question + " " + head(answer, 1))[0].part == EvalPart::kJoint);
  CHECK(find(items, gpt3, head(question, 13)).size() == 1);
  CHECK(find(items, gpt3, head(question, 12)).empty());
  const OverlapRule palm = overlap_rule("palm");
  CHECK(find(items, palm, head(question, 24)).size() == 1);  // 17 of 23 n-grams
  CHECK(find(items, palm, head(question, 23)).empty());      // 16 of 23
  CHECK_THROWS_AS(overlap_rule("llama"), Error);
}

TEST_CASE("n-grams that everybody has do not hide an item") {
  std::vector<EvalItem> items;
  for (uint64_t i = 0; i < 300; ++i) {
    items.push_back(
        {"set", i + 1, "which of the following is the best answer to this question", {}});
  }
  items.push_back({"set", 301, items[0].question + " " + words(4, 20), {}});
  CHECK(find(items, {}, items[0].question).size() == OverlapIndex::kMostFound);
  const auto found = find({items.begin() + 250, items.end()}, {}, items[300].question);
  CHECK(found.back().item == 50);
  CHECK(found.back().share == 1);
}

TEST_CASE("a text of one question over and over costs linear work") {
  std::vector<EvalItem> items;
  for (uint64_t i = 0; i < 500; ++i) {
    items.push_back({"set", i + 1, "which of the following is the best " + words(i, 30), {}});
  }
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += "which of the following is the best ";
  CHECK(find(items, {}, text).empty());
  const auto found = find(items, {}, text + items[7].question + " " + text);
  REQUIRE(found.size() == 1);
  CHECK(found[0].item == 7);
}

TEST_CASE("evaluation sets of several forms") {
  ScratchFolder folder;
  const auto read = [&](const char* name, std::string_view text, const EvalFields& fields = {}) {
    write_file(folder.path() / name, text);
    return read_eval_set(folder.path() / name, fields);
  };
  auto items = read("gsm.jsonl",
                    "{\"question\": \"Q: How many?\", \"answer\": \"18\"}\n\n"
                    "{\"context\": \"c\", \"answer\": \"a\", \"aliases\": [\"b\"]}\n");
  REQUIRE(items.size() == 2);
  CHECK(items[0].set == "gsm");
  CHECK(items[0].question == "How many?");
  CHECK(items[1].number == 2);
  CHECK(items[1].answers == Words{"a", "b"});
  items = read("arc.jsonl",
               R"({"query": "Question: Which?\nAnswer:", "choices": ["x", "y"], "gold": 1})");
  CHECK(items[0].question == "Which?");
  CHECK(items[0].answers == Words{"y"});
  items =
      read("w.jsonl", R"({"context_options": ["he", "she"], "continuation": "went", "gold": 1})");
  CHECK(items[0].question == "she");
  items = read("mmlu.csv",
               "question,choice0,choice1,choice2,choice3,answer\n"
               "\"A, \"\"b\"\"\nc\",one,two,three,four,2\r\n");
  CHECK(items[0].question == "A, \"b\"\nc");
  CHECK(items[0].answers == Words{"three"});
  items = read("old.csv", "What?,one,two,three,four,B\nWho?,1,2,3,4,D\n");
  REQUIRE(items.size() == 2);
  CHECK(items[0].answers == Words{"two"});
  items = read("own.jsonl", R"({"q": "x y", "a": 3})", {"q", "a"});
  CHECK(items[0].answers == Words{"3"});
  for (const char* bad : {"", "[1]", "{\"foo\": 1}", "{\"question\": 1"}) {
    CHECK_THROWS_AS(read("bad.jsonl", bad), Error);
  }
  CHECK_THROWS_AS(read("bad.jsonl", R"({"question": "x"})", {"question", "a"}), Error);
  CHECK_THROWS_AS(read("bad.csv", "foo,bar\n1,2\n"), Error);
}

TEST_CASE("decontaminate drops, cuts or marks, and says what matched where") {
  ScratchFolder folder;
  const std::string question = words(1, 30);
  write_file(folder.path() / "set.jsonl", concat(R"({"question": ")", question, "\"}\n"));
  DecontaminateOptions options;
  options.against = {folder.path() / "set.jsonl"};
  options.matches = folder.path() / "matches.jsonl";
  const Words texts = {"clean text of a few words", "see: " + question + "."};
  const auto run = [&](DecontaminateMode mode, TestTally& tally) {
    options.mode = mode;
    const auto step = make_decontaminate(options);
    auto documents = run_step(*step, texts, tally);
    CHECK(step->facts()[3].text == "1");
    CHECK(step->report_html().find("w") != std::string::npos);
    return documents;
  };
  TestTally tally;
  auto documents = run(DecontaminateMode::kDrop, tally);
  CHECK_FALSE(documents[0].rejected);
  CHECK(documents[1].rejection.rule == "contaminated.set");
  CHECK(documents[1].rejection.figure == "item 1, question, share 1.0000");
  const std::string line = read_file(options.matches);
  CHECK(line.find(R"("id": "1", "where": "test.jsonl:2", "matches": [{"set": "set", "item": 1)") ==
        1);
  documents = run(DecontaminateMode::kCut, tally);
  CHECK(documents[1].text == "see: .");
  REQUIRE(tally.changes.size() == 1);
  CHECK(tally.changes[0].removed == question);
  documents = run(DecontaminateMode::kMark, tally);
  CHECK(documents[1].text == texts[1]);
  CHECK(documents[1].attributes[0].name == "contamination");
}

TEST_CASE("evaluation sets of one name are told apart by their folders") {
  using Names = std::vector<std::string>;
  CHECK(eval_set_names({"a/gsm8k.jsonl.gz", "/b/mmlu.csv"}) == Names{"gsm8k", "mmlu"});
  CHECK(eval_set_names({"a/x/test.jsonl", "/a/y/test.jsonl", "one.jsonl"}) ==
        Names{"x/test", "y/test", "one"});
  CHECK(eval_set_names({"/a/x/test.jsonl", "/b/x/test.jsonl"}) == Names{"a/x/test", "b/x/test"});
  CHECK(eval_set_names({"/a/t.jsonl", "/a/t.csv"}) == Names{"t.jsonl", "t.csv"});
  CHECK(eval_set_names({"/t.jsonl", "/a/t.jsonl"}).size() == 2);
  CHECK_THROWS_AS(eval_set_names({"/a/t.jsonl", "/a/./t.jsonl"}), Error);
}

TEST_CASE("any bytes of UTF-8 have words in order inside the text") {
  const Rng rng(5);
  const std::vector<std::string> pieces = {"a",
                                           "Z",
                                           "9",
                                           "1,2",
                                           " ",
                                           "\n",
                                           "\xc3\xa9",
                                           "\xe4\xb8\xad",
                                           "\xe2\x80\x94",
                                           "\xf0\x9f\x98\x80",
                                           ".",
                                           "\xcc\x81"};
  for (uint64_t round = 0; round < static_cast<uint64_t>(fuzz_rounds(2000)); ++round) {
    std::string text;
    for (uint64_t i = rng.below(round << 32, 30); i > 0; --i) {
      text += pieces[rng.below((round << 32) + i, pieces.size())];
    }
    for (const bool zero : {false, true}) {
      std::vector<MatchWord> list;
      list_match_words(text, zero, list);
      uint32_t begin = 0;
      for (const MatchWord& word : list) {
        CHECK(word.begin >= begin);
        CHECK(word.begin < word.end);
        CHECK(word.end <= text.size());
        begin = word.begin;
      }
    }
  }
}
