#include <CLI/CLI.hpp>

#include "cmd/corpus_step.h"
#include "lib/corpus/dedup/exact_dedup.h"

namespace llmtool {
namespace {

constexpr const char* kFooter = R"(Units:
  document   the text, or what --key names
  line       what stands between two "\n"; lines of white space only stay (--min-chars 1)
  paragraph  CCNet's: a line, too, but --normalise ccnet, and every copy goes (--keep none)
  block      lines between lines of white space only
Normalisation:
  none       the bytes as they are
  lower      lower case (Unicode)
  ccnet      normalize_for_dedup: stripped, lower case, Unicode digits are 0, 34 Unicode punctuation
             marks and control characters are deleted; accents and ASCII punctuation stay
  datatrove  simplify_text: lower case, numbers are 0, punctuation is a space, runs of white space
             are one, no accents
  text-dedup lower case; all but letters, numbers and _ is a space
Which copy stays:
  first      the first of the input; found on the way, in one pass
  none       none
  longest, smallest-hash, highest, lowest (documents): do not depend on the order of the input. Ties
             go to the smallest hash of the text, then of the id
Default: none for paragraphs, longest for documents that are normalised or have a --key, else first.
Copies have the same XXH3 hash of 64 bits: of n different texts, n^2 / 2^65 pairs are taken for
copies by chance (0.03 of 10^9). A document that lost pieces is dropped by rule "empty" if only white
space is left, and by "min_bytes". What memory does not hold goes to the disk; the result is the same.
--shard looks for copies within its part of the inputs. CCNet looks for them in groups of 50 shards:
put a group in a folder, and use --scope folder.

Example:
  llmtool dedup exact web.jsonl.zst --rejected copies/ --output unique.jsonl.zst
  llmtool dedup exact cc/*.json.gz --unit paragraph --scope folder --output lines.jsonl.zst)";

StepMaker define(CLI::App& app) {
  auto o = std::make_shared<ExactDedupOptions>();
  app.add_option("--unit", o->unit, "What is compared")->check(CLI::IsMember(text_unit_names()));
  app.add_option("--normalise", o->normalise, "What makes texts alike; see below")
      ->check(CLI::IsMember(normalisation_names()));
  app.add_option("--keep", o->keep, "Which copy stays; see below")
      ->check(CLI::IsMember({"first", "none", "longest", "smallest-hash", "highest", "lowest"}));
  app.add_option("--keep-by", o->keep_by,
                 "The number for --keep highest and lowest, as a 64-bit float")
      ->type_name("MEMBER");
  app.add_option("--key", o->key, "Compare this instead of the text, e.g. metadata.url")
      ->type_name("MEMBER");
  app.add_option("--scope", o->scope,
                 "Where copies are looked for: in all inputs, or in those of "
                 "the same folder or file")
      ->check(CLI::IsMember({"all", "folder", "file"}));
  app.add_option("--min-chars", o->min_chars,
                 "Shorter pieces stay, copies or not; counted without white space at the ends");
  app.add_option("--min-bytes", o->min_bytes,
                 "Drop a document that lost pieces and has less text than this");
  app.add_option("--index", o->index, "Folder with the hashes of earlier runs; is extended")
      ->type_name("DIR");
  app.footer(kFooter);
  return [o] { return std::make_unique<ExactDedup>(*o); };
}

const RegisterStep exact{
    {"dedup exact", "Drop documents, lines or paragraphs that are copies", 12, define}};

}  // namespace
}  // namespace llmtool
