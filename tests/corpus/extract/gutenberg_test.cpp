#include "lib/corpus/extract/gutenberg.h"

#include <doctest/doctest.h>
#include <random>

#include "lib/corpus/extract/plain_text.h"
#include "lib/text/utf8.h"
#include "tests/fuzz_rounds.h"

using namespace llmtool;

namespace {

const std::string kBody = "CHAPTER I\n\nIt was a bright cold day.";

std::string body_of(const std::string& before, const std::string& after) {
  return extract_gutenberg(before + "\n\n" + kBody + "\n\n" + after + "\n\nLicence text", {}).text;
}

}  // namespace

TEST_CASE("clean_lines: line ends, control characters, white space, invalid bytes") {
  CHECK(clean_lines("a\r\nb\rc\nd") == "a\nb\nc\nd");
  CHECK(clean_lines("\xef\xbb\xbfx\t \n\n\n\ny \n\n") == "x\n\ny");
  CHECK(clean_lines(std::string("a\0b\x07\x7f", 5)) == "ab");
  CHECK(clean_lines("a\xc2\x85z\xc2\xa0") == "az\xc2\xa0");
  CHECK(clean_lines("a\xffz") == "a\xef\xbf\xbdz");
  CHECK(clean_lines("a\xe2\x80\xa8z") == "a\nz");
  CHECK(clean_lines("") == "");
  CHECK(clean_lines(" \n\t\n") == "");
}

TEST_CASE("the book is what lies between the markers, in all their forms") {
  const std::string end = "*** END OF THE PROJECT GUTENBERG EBOOK X ***";
  for (const char* start : {"*** START OF THE PROJECT GUTENBERG EBOOK X ***",
                            "*** START OF THIS PROJECT GUTENBERG EBOOK X ***",
                            "***START OF THE PROJECT GUTENBERG EBOOK X***",
                            "*** START OF THE COPYRIGHTED PROJECT GUTENBERG EBOOK X ***",
                            "*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*",
                            "*END THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*"}) {
    CAPTURE(start);
    CHECK(body_of(std::string("The Project Gutenberg EBook of X\n\nTitle: X\n\n") + start, end) ==
          kBody);
  }
  const std::string start = "*** START OF THIS PROJECT GUTENBERG EBOOK X ***";
  for (const char* form :
       {"*** END OF THIS PROJECT GUTENBERG EBOOK X ***",
        "***END OF THE PROJECT GUTENBERG EBOOK X***",
        "End of the Project Gutenberg EBook of X, by Y", "End of Project Gutenberg's X, by Y",
        "End of this Project Gutenberg Etext of X", "Ende dieses Projekt Gutenberg Etextes",
        "Fin de Project Gutenberg X", "*** END OF THE COPYRIGHTED PROJECT GUTENBERG EBOOK X ***"}) {
    CAPTURE(form);
    CHECK(body_of(start, form) == kBody);
  }
}

TEST_CASE("header fields, credits and transcribers' notes") {
  const GutenbergBook book = extract_gutenberg(
      "Title: The Book\nAuthor: A. Writer\nLanguage: English\n\n"
      "*** START OF THE PROJECT GUTENBERG EBOOK X ***\n\nProduced by Jane Doe and the\nteam\n\n"
      "[Transcriber's note: spelling kept.\n\nItalics are _so_.]\n\n" +
          kBody +
          "\n\nTranscriber's Notes:\nTwo errors were corrected.\n\nThe end, produced by him.",
      {});
  CHECK(book.title == "The Book");
  CHECK(book.author == "A. Writer");
  CHECK(book.language == "English");
  CHECK(book.text == kBody + "\n\nThe end, produced by him.");
  CHECK(book.start_found);
  CHECK(!book.end_found);
}

TEST_CASE("the encoding that a book tells of itself") {
  CHECK(
      gutenberg_charset("Language: English\r\n\r\nCharacter set encoding: ISO-8859-1\r\n\r\n***") ==
      "ISO-8859-1");
  CHECK(gutenberg_charset("Character set encoding: ISO Latin-1\n") == "latin1");
  CHECK(gutenberg_charset("Character set encoding:") == "");
  CHECK(gutenberg_charset("none") == "");
  CHECK(gutenberg_charset(std::string(20000, ' ') + "Character set encoding: koi8-r\n") == "");
}

TEST_CASE("a text without markers is kept or refused as asked") {
  CHECK(extract_gutenberg(kBody, {}).text == kBody);
  CHECK(extract_gutenberg(kBody, {.require_markers = true}).text == "");
  CHECK(extract_gutenberg("", {}).text == "");
}

TEST_CASE("prose is rejoined, verse is not") {
  const std::string prose =
      "It was the best of times, it was the worst of\ntimes, and so on, as every well-\n"
      "known reader of this book has known for years.";
  CHECK(rejoin_paragraphs("It was the best of times, it was the worst of times,\nand so on.") ==
        "It was the best of times, it was the worst of times, and so on.");
  CHECK(rejoin_paragraphs(prose).find('\n') != std::string::npos);  // its second line is too short
  CHECK(
      rejoin_paragraphs("A sentence which is long enough and ends in a well-\nknown word.\n\nx") ==
      "A sentence which is long enough and ends in a well-known word.\n\nx");
  const std::string verse = "Tyger Tyger, burning bright,\nIn the forests of the night;";
  CHECK(rejoin_paragraphs(verse) == verse);
}

TEST_CASE("damaged books neither crash nor grow") {
  std::mt19937 random(7);
  const std::string seed =
      "Title: A\n*** START OF THE PROJECT GUTENBERG EBOOK ***\nProduced by\n\n[Transcriber's Note: "
      "a "
      "\n\n]\n\n*END*THE SMALL PRINT\n\nEnd of the Project Gutenberg";
  for (int round = 0; round < fuzz_rounds(500); ++round) {
    std::string text = seed + seed;
    for (int i = 0; i < 8; ++i) text[random() % text.size()] = static_cast<char>(random());
    const std::string clean = clean_lines(text);
    CHECK(first_invalid_utf8(clean) == std::string::npos);
    CHECK(extract_gutenberg(clean, {.rejoin = true}).text.size() <= clean.size());
  }
}
