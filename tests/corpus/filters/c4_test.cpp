#include <doctest.h>

#include "lib/corpus/filters/phrases.h"
#include "tests/corpus/filters/filter_run.h"

namespace llmtool {
namespace {

FilterSettings c4(C4Variant variant = C4Variant::kTfds) {
  FilterSettings settings;
  settings.rules = preset_rules("c4");
  settings.variants.c4 = variant;
  return settings;
}

const std::string kPage =
    "The first line has six words.\nThe second line asks: does it?\nAnd the third says \"so.\"\n";

TEST_CASE("C4 keeps the lines that end in a mark and have five words") {
  const FilterRun run = run_filter(c4(), "Menu | Home\n" + kPage + "Too short.\n  And so on...\n");
  CHECK_FALSE(run.document.rejected);
  CHECK(run.document.text == kPage.substr(0, kPage.size() - 1));
  CHECK(run.document.text_changed);
  CHECK(run.tally.counts.at("c4.line_end") == 2);
  CHECK(run.tally.counts.at("c4.line_words") == 1);
  CHECK(run.tally.removed == "Menu | Home\n  And so on...\nToo short.\n");
  CHECK(run.tally.recorded.at("c4.sentences") == 3);
}

TEST_CASE("what nothing is dropped of stays as it was") {
  const std::string text = kPage.substr(0, kPage.size() - 1);
  const FilterRun run = run_filter(c4(), text);
  CHECK(run.document.text == text);
  CHECK_FALSE(run.document.text_changed);
}

TEST_CASE("the variants differ in words, sentences and the apostrophe") {
  const std::string text = "He said it was 'so'\nShe said: no. Yes? No! Then.\nOne two three.";
  const FilterRun tfds = run_filter(c4(), text);
  CHECK(tfds.document.text == "She said: no. Yes? No! Then.");
  const FilterRun datatrove = run_filter(c4(C4Variant::kDatatrove), text);
  CHECK(datatrove.document.text == text);
  CHECK(run_filter(c4(C4Variant::kPaper), text).document.text ==
        "She said: no. Yes? No! Then.\nOne two three.");
  CHECK(
      run_filter(c4(C4Variant::kDatatrove), "Only four. Of. Them. Here.").document.rejection.rule ==
      "c4.sentences");
}

TEST_CASE("citations go, and an end mark before them counts") {
  const FilterRun run = run_filter(
      c4(), "It is said to be so.[12][edit]\nIt is [x] so.[] Or not.\n[1] Yes it is so now.");
  CHECK(run.document.text == "It is said to be so.\nIt is [x] so. Or not.\n Yes it is so now.");
  CHECK(run.tally.counts.at("c4.citations") == 3);
  CHECK(run_filter(
            c4(),
            "It is said to be so[\u0663\u0967] in the paper.\nIt is [\u2163] said to be so.\nAnd "
            "it is so in Rome.")
            .document.text ==
        "It is said to be so in the paper.\nIt is [\u2163] said to be so.\nAnd it is so in Rome.");
}

TEST_CASE("pages go by what is in the lines that stay") {
  CHECK(run_filter(c4(), kPage + "Now Lorem IPSUM dolor sit amet.").document.rejection.rule ==
        "c4.lorem_ipsum");
  CHECK_FALSE(run_filter(c4(), kPage + "lorem ipsum dolor").document.rejected);
  CHECK(run_filter(c4(), kPage + "Now if (a) { return 1; } or not.").document.rejection.rule ==
        "c4.curly_bracket");
  CHECK_FALSE(run_filter(c4(), kPage + "if (a) { return 1; }").document.rejected);
  CHECK_FALSE(run_filter(c4(), kPage + "Your JavaScript has { and so on.").document.rejected);
  CHECK(run_filter(c4(), "").document.rejection.rule == "c4.sentences");
}

TEST_CASE("lines with long words, javascript and policies go") {
  const std::string word(1001, 'x');
  const FilterRun run = run_filter(
      c4(), kPage + "Here " + word + " is a long word.\nPlease do enable JavaScript to read.\n" +
                "We use cookies on this site.\nRead our Terms Of Use before that.\n");
  CHECK(run.document.text + "\n" == kPage);
  CHECK(run.tally.counts.at("c4.line_word_length") == 1);
  CHECK(run.tally.counts.at("c4.javascript") == 1);
  CHECK(run.tally.counts.at("c4.policy") == 2);
}

TEST_CASE("each phrase is found at every place and length") {
  for (const std::string phrase : {"terms of use", "privacy policy", "cookie policy",
                                   "uses cookies", "use of cookies", "use cookies"}) {
    for (size_t before = 0; before < 40; ++before) {
      for (size_t after = 0; after < 20; ++after) {
        const std::string text = std::string(before, 'o') + phrase + std::string(after, 's');
        const FoundPhrases found = find_phrases(text);
        REQUIRE(found.policy);
        REQUIRE_FALSE(found.javascript);
        REQUIRE_FALSE(find_phrases(text.substr(0, before + phrase.size() - 1)).policy);
      }
    }
  }
}

TEST_CASE("marked pages keep their text") {
  FilterSettings settings = c4();
  settings.mark = true;
  const FilterRun run = run_filter(settings, "Menu\n" + kPage);
  CHECK(run.document.text == "Menu\n" + kPage);
  CHECK(member(run.document, "attributes.c4.line_end").number == 1);
  CHECK(member(run.document, "attributes.c4.sentences").number == 3);
  CHECK(member(run.document, "attributes.c4.curly_bracket").number == 0);
}

}  // namespace
}  // namespace llmtool
