#include "lib/corpus/classify/lang_step.h"

#include <algorithm>
#include <cmath>
#include <doctest/doctest.h>

#include "lib/base/error.h"
#include "tests/corpus/step_run.h"

namespace llmtool {
namespace {

// The value of an added attribute, as JSON; "" if there is none.
std::string attribute(const Document& document, std::string_view name) {
  std::string json;
  for (const Attribute& a : document.attributes) {
    if (a.name == name) json = a.json;
  }
  return json;
}

std::vector<Document> judged(const LangOptions& options, const std::vector<std::string>& texts) {
  TestTally tally;
  const auto step = make_lang_step(options);
  return run_step(*step, texts, tally);
}

const std::string kEnglish = "She opened the window and listened to the rain on the roof.";
const std::string kGerman = "Am Morgen ging er mit seinem Hund durch den verschneiten Wald.";
const std::string kGreek = "Το πρωί πήγαμε στην αγορά για να αγοράσουμε φρούτα.";

}  // namespace

TEST_CASE("lang names the languages of sentences") {
  const std::vector<std::pair<std::string, std::string>> sentences = {
      {"en", kEnglish},
      {"de", kGerman},
      {"el", kGreek},
      {"fr", "Les enfants jouaient dans le jardin pendant que leur grand-mère préparait le dîner."},
      {"es", "Los niños jugaban en el jardín mientras su abuela preparaba la cena."},
      {"pl", "Wieczorem siedzieliśmy przy ogniu i opowiadaliśmy stare historie."},
      {"fi", "Illalla istuimme nuotion ääressä ja kerroimme vanhoja tarinoita."},
      {"ru", "Вечером мы сидели у костра и рассказывали старые истории."},
      {"uk", "Увечері ми сиділи біля вогнища й розповідали старі історії."},
      {"ja", "夕方、私たちは焚き火のそばに座って昔の話をしました。"},
      {"zh", "晚上我们坐在火堆旁边讲以前的故事。"},
      {"ko", "저녁에 우리는 모닥불 옆에 앉아 옛날 이야기를 했다."},
      {"hi", "शाम को हम आग के पास बैठकर पुरानी कहानियाँ सुनाते थे।"},
      {"tr", "Akşam ateşin başında oturup eski hikâyeler anlattık."}};
  std::vector<std::string> texts;
  for (const auto& [language, text] : sentences) texts.push_back(text);
  const std::vector<Document> documents = judged({}, texts);
  for (size_t i = 0; i < sentences.size(); ++i) {
    CAPTURE(sentences[i].second);
    CHECK(attribute(documents[i], "language") == "\"" + sentences[i].first + "\"");
    CHECK(!documents[i].rejected);
  }
}

TEST_CASE("lang: texts without letters are unknown") {
  for (const Document& document :
       judged({.min_letters = 3}, {"", "\n\n", "12 + 30 = 42", "ab 7"})) {
    CHECK(attribute(document, "language") == "\"und\"");
    CHECK(attribute(document, "language_score") == "0");
  }
}

TEST_CASE("lang drops by score and by language") {
  const std::vector<Document> documents =
      judged({.min_score = 0.5, .keep = {"en"}}, {kEnglish, kGerman, "123"});
  CHECK(!documents[0].rejected);
  CHECK(documents[1].rejection.rule == "lang.language");
  CHECK(documents[1].rejection.figure == "de");
  CHECK(documents[2].rejection.rule == "lang.language");
  const std::vector<Document> low = judged({.min_score = 0.5}, {"123"});
  CHECK(low[0].rejection.rule == "lang.score");
  CHECK(low[0].rejection.expected == ">= 0.5");
  CHECK_THROWS_WITH_AS(make_lang_step({.keep = {"tlh"}}), "the model has no language 'tlh'", Error);
}

TEST_CASE("lang by line sees every language of a document") {
  const std::string text = kGerman + "\n" + kGerman + "\n\n" + kEnglish + "\n---\n" + kGerman;
  const Document document = judged({.by_line = true, .min_letters = 3}, {text})[0];
  CHECK(attribute(document, "language") == "\"de\"");
  const double german = 3.0 * static_cast<double>(kGerman.size());
  const double share = german / (german + static_cast<double>(kEnglish.size()));
  const std::string shares = attribute(document, "languages");
  CHECK(shares.starts_with("{\"de\": " + json_number(std::round(share * 1e4) / 1e4)));
  CHECK(shares.find("\"en\": 0.2") != shares.npos);
  CHECK(std::stod(attribute(document, "language_score")) <= share);
}

TEST_CASE("lang writes the best languages in order") {
  const Document document = judged({.top = 3}, {kEnglish})[0];
  const std::string languages = attribute(document, "languages");
  CHECK(languages.starts_with("{\"en\": "));
  CHECK(std::ranges::count(languages, ':') == 3);
}

TEST_CASE("lang looks at pieces of long texts") {
  std::string text;
  for (int i = 0; i < 100; ++i) text += kGerman + " ";
  for (int i = 0; i < 300; ++i) text += kEnglish + " ";
  CHECK(attribute(judged({.max_bytes = 800}, {text})[0], "language") == "\"en\"");
}

TEST_CASE("lang rounds as CCNet does") {
  const LangOptions ccnet{.min_score = 0.5, .join_lines = true, .decimals = 2};
  const std::string score = attribute(judged(ccnet, {kGreek})[0], "language_score");
  CHECK(score.size() <= 4);
  // "one two" and "three" become two words.
  const LangOptions plain{.form = TextForm::kPlain, .top = 3};
  LangOptions joined = plain;
  joined.join_lines = true;
  CHECK(attribute(judged(joined, {"one two\nthree"})[0], "languages") ==
        attribute(judged(plain, {"one twothree"})[0], "languages"));
}

}  // namespace llmtool
