#include "lib/corpus/classify/letters.h"

#include <doctest/doctest.h>

#include "lib/base/error.h"
#include "lib/text/utf8.h"

namespace llmtool {
namespace {

std::string prepared(std::string_view text, TextForm form) {
  std::string out;
  prepare_text(text, form, out);
  return out;
}

}  // namespace

TEST_CASE("letters: what is no letter becomes one space, capitals become small") {
  CHECK(prepared("Don't PANIC, 42 times!", TextForm::kLetters) == "don t panic times ");
  CHECK(prepared("ÄÖÜ ΑΣΣ ЖУК", TextForm::kLetters) == "äöü ασσ жук");
  CHECK(prepared("हिन्दी १२", TextForm::kLetters) == "हिन्दी ");
  CHECK(prepared("\n\t 1", TextForm::kLetters).empty());
  // The lower-case form is longer than the capital.
  CHECK(prepared("ȺȺȺ", TextForm::kLetters) == "ⱥⱥⱥ");
  CHECK(prepared("𐐀x", TextForm::kLetters) == "𐐨x");
  size_t letters = 0;
  std::string out;
  prepare_text("a1b é", TextForm::kLetters, out, &letters);
  CHECK(letters == 3);
}

TEST_CASE("letters: line breaks become spaces, or CCNet's nothing") {
  CHECK(prepared("one\ntwo\r\n", TextForm::kPlain) == "one two\r ");
  CHECK(prepared("one\ntwo\n", TextForm::kJoined) == "onetwo");
  CHECK(text_form("joined") == TextForm::kJoined);
  CHECK_THROWS_AS(text_form("none"), Error);
}

TEST_CASE("letters are counted up to what is asked") {
  CHECK(has_letters("", 0));
  CHECK(!has_letters("12 .", 1));
  CHECK(has_letters("1é", 1));
  CHECK(!has_letters("ab", 3));
}

TEST_CASE("an excerpt has a piece of each quarter and never cuts a character") {
  std::string excerpt, text;
  CHECK(excerpt_of("short", 5, excerpt) == "short");
  for (int i = 0; i < 400; ++i) text += i < 100 ? "aa " : i < 200 ? "bb " : i < 300 ? "cc " : "dd ";
  CHECK(excerpt_of(text, 0, excerpt) == text);
  CHECK(excerpt_of(text, 24, excerpt) == "aa aa\nbb bb\ncc cc\ndd dd\n");
  text.clear();
  for (int i = 0; i < 200; ++i) text += i % 3 == 0 ? "字" : i % 3 == 1 ? "é" : "𐐨";
  for (size_t bytes = 1; bytes < 60; ++bytes) {
    const std::string_view found = excerpt_of(text, bytes, excerpt);
    CHECK(found.size() <= bytes + 4);
    CHECK(first_invalid_utf8(found) == std::string_view::npos);
  }
}

}  // namespace llmtool
