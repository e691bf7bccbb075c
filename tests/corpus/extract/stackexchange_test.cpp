#include "lib/corpus/extract/stackexchange.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <random>

#include "lib/text/utf8.h"
#include "tests/corpus/step_run.h"
#include "tests/fuzz_rounds.h"

using namespace llmtool;

namespace {

std::string question(int id, const std::string& more = {}) {
  return R"(  <row Id=")" + std::to_string(id) + R"(" PostTypeId="1" Score="3" Title="T)" +
         std::to_string(id) +
         R"(" Body="&lt;p&gt;Why &amp;lt; &amp;amp; how?&lt;/p&gt;" Tags="&lt;c++&gt;&lt;x&gt;" )" +
         more + "/>";
}

std::string answer(int id, int parent, int score, const std::string& body) {
  return R"(<row Id=")" + std::to_string(id) + R"(" PostTypeId="2" ParentId=")" +
         std::to_string(parent) + R"(" Score=")" + std::to_string(score) + R"(" Body=")" + body +
         R"(" />)";
}

std::vector<Document> run(const std::vector<std::string>& rows, StackExchangeOptions options = {}) {
  ExtractStackExchange step(options);
  TestTally tally;
  return run_step(step, rows, tally);
}

const Document& kept(const std::vector<Document>& documents) {
  const auto at = std::find_if(documents.begin(), documents.end(),
                               [](const Document& d) { return !d.rejected; });
  REQUIRE(at != documents.end());
  return *at;
}

}  // namespace

TEST_CASE("a row of Posts.xml") {
  const StackPost post =
      read_stack_post(question(7, R"(AcceptedAnswerId="9" CreationDate="2020")"), true);
  CHECK(post.kind == StackPost::Kind::kQuestion);
  CHECK(post.id == 7);
  CHECK(post.accepted == 9);
  CHECK(post.score == 3);
  CHECK(post.title == "T7");
  CHECK(post.body == "<p>Why &lt; &amp; how?</p>");
  CHECK(post.tags == "<c++><x>");
  CHECK(post.date == "2020");
  CHECK(read_stack_post("<posts>", true).kind == StackPost::Kind::kNoRow);
  CHECK(read_stack_post("<rowing Id=\"1\"/>", true).kind == StackPost::Kind::kNoRow);
  CHECK(read_stack_post("<row Id=\"1\" PostTypeId=\"5\"/>", true).kind == StackPost::Kind::kOther);
  CHECK(read_stack_post("<row Id='12' PostTypeId='2' Score='-4'/>", true).score == -4);
  CHECK(read_stack_post(question(1, R"(DeletionDate="2020")"), true).kind ==
        StackPost::Kind::kDeleted);
  CHECK(tags_as_json("<c++><x>") == "[\"c++\",\"x\"]");
  CHECK(tags_as_json("|a|b|") == "[\"a\",\"b\"]");
  CHECK(tags_as_json("") == "[]");
}

TEST_CASE("answers come by score as numbers, wherever they stand") {
  const auto documents =
      run({answer(11, 1, 9, "nine"), "<posts>", answer(12, 1, 10, "ten"), question(1),
           answer(14, 1, -2, "minus"), answer(13, 1, 100, "hundred"), answer(10, 1, 9, "nine too"),
           answer(20, 5, 1, "lost")});
  const Document& q = kept(documents);
  CHECK(q.text ==
        "Q: T1\n\nWhy < & how?\n\nA: hundred\n\nA: ten\n\nA: nine too\n\nA: nine\n\nA: minus");
  CHECK(member(q, "metadata.answer_scores").text == "[100,10,9,9,-2]");
  CHECK(member(q, "metadata.answer_ids").text == "[13,12,10,11,14]");
  CHECK(member(q, "metadata.tags").text == "[\"c++\",\"x\"]");
  CHECK(documents[0].rejection.rule == "extract.answer");
  CHECK(documents[1].rejection.rule == "extract.not_a_row");
  CHECK(documents[7].rejection.rule == "extract.orphan_answer");
}

TEST_CASE("a row without its end is no post") {
  const std::string whole = question(1);
  const size_t end = whole.rfind('/');
  for (size_t size = whole.find("Id") + 1; size <= end; ++size) {
    CAPTURE(size);
    CHECK(read_stack_post(whole.substr(0, size), true).kind == StackPost::Kind::kCut);
  }
  CHECK(read_stack_post(R"(<row Id="1" PostTypeId="1" Body="no quote />)", true).kind ==
        StackPost::Kind::kCut);
  CHECK(read_stack_post(R"(<row Id="1" PostTypeId="1"></row>)", true).kind ==
        StackPost::Kind::kQuestion);
  const std::string reply = answer(2, 1, 1, "a");
  const auto documents = run({reply.substr(0, reply.find(" />")), question(1)});
  CHECK(documents[0].rejection.rule == "extract.cut_row");
  CHECK(documents[1].text == "Q: T1\n\nWhy < & how?");
}

TEST_CASE("answers of other questions do not come along") {
  const auto documents =
      run({question(2), answer(5, 1, 1, "a"), question(1), answer(6, 3, 1, "b")});
  CHECK(documents[0].text == "Q: T2\n\nWhy < & how?");
  CHECK(documents[2].text == "Q: T1\n\nWhy < & how?\n\nA: a");
}

TEST_CASE("code keeps its lines") {
  const auto documents =
      run({question(1), answer(2, 1, 1,
                               "&lt;p&gt;Do:&lt;/p&gt;&#xA;&lt;pre&gt;&lt;code&gt;if x:&#xA;    y()"
                               "&#xA;&lt;/code&gt;&lt;/pre&gt;")});
  CHECK(documents[0].text.ends_with("A: Do:\n\nif x:\n    y()"));
}

TEST_CASE("options") {
  const std::vector<std::string> rows = {question(1), answer(2, 1, 5, "five"),
                                         answer(3, 1, 1, "one")};
  CHECK(kept(run(rows, {.labels = false})).text == "T1\n\nWhy < & how?\n\nfive\n\none");
  CHECK(kept(run(rows, {.min_score = 2})).text.ends_with("A: five"));
  CHECK(kept(run(rows, {.max_answers = 1})).text.ends_with("A: five"));
  CHECK(kept(run(rows, {.site = "math"})).id == "math/1");
  CHECK(run({question(1)}, {.require_answer = true})[0].rejection.rule == "extract.unanswered");
}

TEST_CASE("no entity expands, and damaged rows harm nobody") {
  CHECK(read_stack_post("<row Id=\"1\" PostTypeId=\"1\" Title=\"&lol; &#x41;\"/>", true).title ==
        "&lol; A");
  std::mt19937 random(17);
  for (int round = 0; round < fuzz_rounds(300); ++round) {
    std::vector<std::string> rows = {question(1), answer(2, 1, 3, "&lt;b&gt;x"), question(4),
                                     answer(5, 4, 1, "y")};
    for (std::string& row : rows) {
      for (size_t n = random() % 4; n > 0; --n)
        row[random() % row.size()] = "\"<>=& 1"[random() % 7];
    }
    for (const Document& d : run(rows)) CHECK(first_invalid_utf8(d.text) == std::string::npos);
  }
}
