#include <CLI/CLI.hpp>

#include "cmd/corpus_step.h"
#include "lib/corpus/dedup/bloom_dedup.h"

namespace llmtool {
namespace {

constexpr const char* kFooter =
    R"(Units document, line, paragraph and block, and --normalise, are as in dedup exact; the first copy in
the order of the input stays, at any number of threads. With --unit ngram a line goes if more than
--overlap of its n-grams were seen (a word is what stands between white space of the normalised text),
and the document if more than --overlap of all of its n-grams were; n-grams of lines that stay are
then seen. This is old-both of DCLM's bff, whose words are those of Unicode's word boundaries.
The filter: k = ceil(log2(1 / rate)) bits an item, m = -k n / ln(1 - rate^(1/k)) bits for n items
(about -n ln(rate) / ln(2)^2), at floor((h1 + i h2 mod 2^64) m / 2^64) for i < k, where h1 and h2 are
two SplitMix64 mixes of XXH3 (64 bits, --seed). It is all the memory that is taken; one that does not
fit --memory is refused. With more than --expected-items items the rate is higher, and the report
says so. --index loads the filter, and saves it at the end: the same settings, or it is an error.
--shard looks for copies within its part of the inputs.

Example:
  zcat crawl/*.gz | llmtool dedup bloom --unit paragraph --expected-items 1000000000 --memory 4G
  llmtool dedup bloom web.jsonl --unit ngram --expected-items 200000000 --output web.bff.jsonl)";

StepMaker define(CLI::App& app) {
  auto o = std::make_shared<BloomDedupOptions>();
  app.add_option("--unit", o->unit, "What is compared")
      ->check(CLI::IsMember({"document", "line", "paragraph", "block", "ngram"}));
  app.add_option("--normalise", o->normalise,
                 "What makes texts alike; ccnet for paragraphs, else none")
      ->check(CLI::IsMember(normalisation_names()));
  app.add_option("--expected-items", o->expected_items,
                 "New documents, lines, ... or n-grams to come")
      ->required();
  app.add_option("--false-positive-rate", o->false_positive_rate,
                 "Share of new items that are taken for copies when all have come");
  app.add_option("--seed", o->seed, "Of the hashes");
  app.add_option("--min-chars", o->min_chars,
                 "Shorter pieces stay, copies or not; 1 for lines, else 0");
  app.add_option("--min-bytes", o->min_bytes,
                 "Drop a document that lost pieces and has less text than this");
  app.add_option("--ngram", o->ngram, "Words of an n-gram");
  app.add_option("--min-ngram", o->min_ngram,
                 "A line of fewer words than an n-gram, but so many, is one n-gram");
  app.add_option("--overlap", o->overlap, "Share of seen n-grams from which on a text goes");
  app.add_option("--index", o->index, "Folder with the filter of earlier runs; is extended")
      ->type_name("DIR");
  app.footer(kFooter);
  return [o] { return std::make_unique<BloomDedup>(*o); };
}

const RegisterStep bloom{
    {"dedup bloom", "Drop copies in a stream, with a Bloom filter", 12, define}};

}  // namespace
}  // namespace llmtool
