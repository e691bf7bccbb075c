#include <CLI/CLI.hpp>
#include <memory>

#include "cmd/corpus_step.h"
#include "lib/corpus/extract/steps.h"

namespace llmtool {

namespace {

StepMaker define(CLI::App& app) {
  auto o = std::make_shared<GutenbergOptions>();
  app.add_flag("--rejoin", o->rejoin, "Lines of a prose paragraph in one line");
  app.add_flag("--require-markers", o->require_markers,
               "Drop texts with neither a START nor an END line");
  app.footer(
      "Definition. Lines are compared by their letters and digits alone, in lower case. The book\n"
      "begins after the last line in the first half that begins with `start of [the|this]\n"
      "[copyrighted] project gutenberg` or `end the small print` (1991-2003), and ends before the\n"
      "first later line that begins with `end of [the|this] [copyrighted] project gutenberg`, its\n"
      "German and French forms, or `end of this is copyrighted`. Then go those of the first ten\n"
      "paragraphs that begin with `produced by`, `e-text prepared by`, `transcribed from the` and\n"
      "their kin, and everywhere transcriber's notes: in brackets, or paragraphs that begin so.\n"
      "--rejoin: a paragraph is prose if it has two lines or more, none indented, and all but the\n"
      "last at least 45 bytes long; a hyphen at a line's end joins without a space.\n"
      "Metadata added: title, author, language, detected_charset. Dropped under\n"
      "extract.no_markers, extract.charset, extract.empty.\n\n"
      "Example:\n"
      "  llmtool extract gutenberg books/*.txt --format raw --output books.jsonl");
  return [o] { return std::make_unique<ExtractGutenberg>(*o); };
}

const RegisterStep extract_gutenberg{{"extract gutenberg",
                                      "Books of Project Gutenberg without licence and credits", 11,
                                      define, "text"}};

}  // namespace
}  // namespace llmtool
