#include <CLI/CLI.hpp>

#include "cmd/corpus_step.h"
#include "lib/corpus/ngram/buckets_step.h"

namespace llmtool {
namespace {

constexpr const char* kFooter =
    R"(Adds attributes.perplexity_bucket: head below the first cut-off of the document's language, middle
below the second, else tail; all for a document without a perplexity or of a language without
cut-offs. A low perplexity is text like that the model was trained on.
Cut-offs are the 30th and 60th percentile of the documents of each language, as CCNet's, exact and
interpolated as numpy.percentile does, whatever the memory; the documents are read twice. Or they
are read from a table as CCNet's cutoff.csv (--cutoffs): percentiles in the first column, a column
for each language. --write-cutoffs writes one, of percentiles 0 to 100.
The report shows each language's perplexities with its cut-offs.

Example:
  llmtool ngram buckets scored.jsonl \
    -o 'out/{attributes.language}_{attributes.perplexity_bucket}.jsonl.zst')";

StepMaker define(CLI::App& app) {
  auto o = std::make_shared<BucketsOptions>();
  auto cutoffs = std::make_shared<std::string>();
  auto write_cutoffs = std::make_shared<std::string>();
  app.add_option("--percentiles", o->percentiles, "Where middle begins, and where tail begins")
      ->delimiter(',')
      ->expected(2)
      ->capture_default_str();
  app.add_option("--cutoffs", *cutoffs, "Take the cut-offs from this table (cutoff.csv)")
      ->type_name("FILE");
  app.add_option("--write-cutoffs", *write_cutoffs, "Write the percentiles of these documents")
      ->type_name("FILE");
  app.add_option("--perplexity", o->perplexity, "Where the perplexity of a document is")
      ->type_name("MEMBER")
      ->capture_default_str();
  app.add_option("--language", o->language, "Where its language is")
      ->type_name("MEMBER")
      ->capture_default_str();
  app.footer(kFooter);
  return [o, cutoffs, write_cutoffs] {
    BucketsOptions options = *o;
    options.cutoffs = *cutoffs;
    options.write_cutoffs = *write_cutoffs;
    return make_buckets_step(options);
  };
}

const RegisterStep buckets{
    {"ngram buckets", "Put documents into head, middle and tail by perplexity", 17, define}};

}  // namespace
}  // namespace llmtool
