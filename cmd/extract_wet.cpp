#include <CLI/CLI.hpp>
#include <memory>

#include "cmd/corpus_step.h"
#include "lib/corpus/extract/steps.h"

namespace llmtool {

namespace {

StepMaker define(CLI::App& app) {
  app.footer(
      "Definition. Of a WET file (the plain text that Common Crawl made of its pages) the\n"
      "conversion records, as they are, in clean lines: invalid bytes are U+FFFD; CR LF, CR and\n"
      "U+2028 are line ends; control characters but the tab, white space at the ends of lines, "
      "and\n"
      "empty lines after the first in a row go. Metadata: url, date, languages, content_type.\n"
      "Dropped under extract.not_conversion (a response, or a type that is not text/plain) and\n"
      "extract.empty.\n\n"
      "Example:\n"
      "  llmtool extract wet CC-MAIN-*.warc.wet.gz --output text.jsonl.zst");
  return [] { return std::make_unique<ExtractWet>(); };
}

const RegisterStep extract_wet{
    {"extract wet", "Text of Common Crawl's WET records", 11, define, "warc"}};

}  // namespace
}  // namespace llmtool
