#include <CLI/CLI.hpp>
#include <optional>

#include "cmd/corpus_step.h"
#include "lib/corpus/dedup/substring.h"

namespace llmtool {
namespace {

constexpr const char* kHelp =
    "A repeat is a stretch of at least --min-length units that also stands, wholly, before it: in "
    "an\n"
    "earlier document, earlier in the same document, or in a run that --index knows. Every unit "
    "that\n"
    "a repeat covers is removed and nothing else, so what is removed stands somewhere in what "
    "stays\n"
    "(--keep first); with --keep none the first copy goes too. No repeat crosses from one "
    "document\n"
    "into the next. Copies that overlap do not count: of 'aaaa...' the first --min-length stay.\n"
    "  bytes       cut back to whole characters\n"
    "  characters  Unicode code points\n"
    "  words       between white space (Python's str.split()), which is not compared; what is\n"
    "              removed takes the white space behind it along\n"
    "  tokens      ids of --tokenizer, which must give every text back unchanged\n"
    "This is ExactSubstr of Lee et al. 2021 (50 tokens). In place of a suffix array, windows are "
    "found\n"
    "by a hash that is chosen alike in equal windows (winnowing) and sorted on the disk, about "
    "one\n"
    "byte a byte of text; then the text itself is compared. The result is that of the suffix "
    "array,\n"
    "in the memory that --memory gives. The input is read twice. --shard looks for repeats within "
    "its\n"
    "part of the inputs.\n"
    "A document that lost text and has less than --min-bytes left is dropped (rule bytes_left);\n"
    "white space alone is nothing.\n\n"
    "Example:\n"
    "  llmtool dedup substring web.jsonl.zst --index seen -o clean.jsonl.zst";

struct Flags {
  std::string unit = "words", keep = "first", index, tokenizer;
  std::optional<size_t> min_length;
  uint64_t min_bytes = 1;
};

std::unique_ptr<Step> make(const Flags& flags) {
  SubstringOptions options;
  options.rule.unit = substring_unit(flags.unit);
  const bool letters = flags.unit == "bytes" || flags.unit == "characters";
  options.rule.min_length = flags.min_length.value_or(letters ? 200 : 50);
  options.rule.keep_first = flags.keep == "first";
  options.min_bytes = flags.min_bytes;
  options.index = flags.index;
  options.tokenizer = flags.tokenizer;
  return make_substring_dedup(options);
}

StepMaker define(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.add_option("--unit", flags->unit, "What is compared")
      ->check(CLI::IsMember({"bytes", "characters", "words", "tokens"}))
      ->capture_default_str();
  app.add_option("--min-length", flags->min_length,
                 "Least length of a repeat in units (default: 50 words or tokens, 200 bytes or "
                 "characters)")
      ->check(CLI::PositiveNumber);
  app.add_option("--keep", flags->keep, "Copy of a repeat that stays")
      ->check(CLI::IsMember({"first", "none"}))
      ->capture_default_str();
  app.add_option("--min-bytes", flags->min_bytes,
                 "Drop a document that lost text and has less left")
      ->capture_default_str();
  app.add_option("--tokenizer", flags->tokenizer, "Folder or file of a tokenizer, for tokens");
  app.add_option("--index", flags->index,
                 "Folder with the text of earlier runs; this run is added to it");
  app.footer(kHelp);
  return [flags] { return make(*flags); };
}

const RegisterStep substring{
    {"dedup substring", "Remove text that stands somewhere before", 13, define}};

}  // namespace
}  // namespace llmtool
