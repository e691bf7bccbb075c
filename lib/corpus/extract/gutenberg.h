// The text of a Project Gutenberg book: without the licence, the credits and the notes of those who
// typed it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace llmtool {

struct GutenbergOptions {
  bool rejoin = false;           // hard-wrapped paragraphs of prose become one line each
  bool require_markers = false;  // a text with neither marker is not taken for a book
};

struct GutenbergBook {
  std::string text;
  std::string title, author, language;  // of the header's lines "Title: ...", or empty
  bool start_found = false, end_found = false;
};

// `text` is UTF-8 as clean_lines() leaves it. A line is compared by its letters and digits alone,
// in lower case, with one space between words. The book begins after the last line in the first
// half (and before the end) that begins with
//     start of [the|this] [copyrighted] project gutenberg
//     end the small print                       (1991-2003: *END*THE SMALL PRINT! ...)
// and ends before the first later line that begins with
//     end of [the|this] [copyrighted] project gutenberg,  end of this is copyrighted,
//     ende diese[s] (project|projekt) gutenberg,  ende dieses etextes,  fin de project gutenberg,
//     this is a copyrighted project gutenberg etext details above  (only in the last tenth)
// Then go, among the first ten paragraphs, those that name the makers (produced by, e-text prepared
// by, transcribed from, ...), and everywhere notes in brackets or paragraphs that begin with
// "transcriber's note". Linear in the text.
GutenbergBook extract_gutenberg(std::string_view text, const GutenbergOptions& options);

// What the book's first 16 KiB say in a line "Character set encoding: ISO-8859-1"; empty if
// nothing. "ISO Latin-1", which no standard calls it, is "latin1".
std::string_view gutenberg_charset(std::string_view bytes);

// Lines of one paragraph in one line. A paragraph is prose if it has at least two lines, none of
// them indented, and all but the last at least 45 bytes long.
std::string rejoin_paragraphs(std::string_view text);

}  // namespace llmtool
