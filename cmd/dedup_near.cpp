#include <CLI/CLI.hpp>

#include "cmd/corpus_step.h"
#include "lib/corpus/dedup/near_dedup.h"

namespace llmtool {
namespace {

constexpr const char* kFooter = R"(Presets (each setting can be given by its own flag):
  datatrove   shingles of 5 words, normalised as simplify_text, 14 bands x 8 rows
  text-dedup  shingles of 5 words of letters, numbers and _, lower case; 25 x 10 (its Spark version)
  nemo        shingles of 24 characters of the text as it is; 20 x 13
A word is what stands between white space of the normalised text (--normalise as in dedup exact). A
text of fewer words than a shingle is one shingle; one without any word is kept.
Shingles are hashed to 32 bits (XXH3 of each word, summed as a polynomial). Permutation p maps h to
mix(a h + b) mod 2^32, mix(x) = (x ^ x >> 15) * 0x2c1b3c6d, a odd, a and b from --seed (Philox). Two
documents are candidates if all rows of one band agree: with probability 1 - (1 - s^rows)^bands for a
Jaccard similarity s. --threshold takes the bands and rows with the least area of false positives
below plus false negatives above, as datasketch. With --verify, candidates are joined only if their
true Jaccard similarity is at least that; in each bucket a document is compared with up to 16 leaders
(the first by the hash of the text, and those unlike all leaders before).
Joined documents are a cluster; one stays: --keep longest, first, smallest-hash, highest, lowest. All
but first do not depend on the order of the input: ties go to the smallest hash of the text, then of
the id. A dropped document names the one that stayed (--rejected).
Memory: 4 bytes and a bit a document, at most half of --memory. Disk: 16 bytes a band and document,
40 bytes and the id a document, and 4 bytes a shingle with --verify; twice that for sorting.
--index: documents like one of the index are dropped; those that stay are added to it. --shard looks
for duplicates within its part of the inputs.

Example:
  llmtool dedup near web.jsonl.zst --clusters clusters.jsonl --output unique.jsonl.zst
  llmtool dedup near new.jsonl --threshold 0.8 --verify 0.8 --index seen/ --output fresh.jsonl)";

StepMaker define(CLI::App& app) {
  auto o = std::make_shared<NearDedupOptions>();
  app.add_option("--preset", o->preset, "What the settings are where not given; see below")
      ->check(CLI::IsMember({"datatrove", "text-dedup", "nemo"}));
  app.add_option("--normalise", o->normalise, "What makes texts alike")
      ->check(CLI::IsMember(normalisation_names()));
  app.add_option("--shingle", o->shingle, "What a shingle is made of")
      ->check(CLI::IsMember({"words", "characters"}));
  app.add_option("--shingle-size", o->shingle_size, "How many of them; 0: the preset's");
  app.add_option("--bands", o->bands, "Bands of the signature; 0: the preset's");
  app.add_option("--rows", o->rows, "Rows of a band; 0: the preset's");
  app.add_option("--threshold", o->threshold, "Choose bands and rows for this similarity");
  app.add_option("--num-hashes", o->num_hashes,
                 "For --threshold: at most so many bands x rows; 0 is 128");
  app.add_option("--seed", o->seed, "Of the permutations");
  app.add_option("--verify", o->verify,
                 "Join candidates only from this true Jaccard similarity on");
  app.add_option("--keep", o->keep, "Which document of a cluster stays")
      ->check(CLI::IsMember({"longest", "first", "smallest-hash", "highest", "lowest"}));
  app.add_option("--keep-by", o->keep_by,
                 "The number for --keep highest and lowest, as a 64-bit float")
      ->type_name("MEMBER");
  app.add_option("--clusters", o->clusters, "File for the clusters, as JSON lines (.gz, .zst)")
      ->type_name("FILE");
  app.add_option("--index", o->index, "Folder with the signatures of earlier runs; is extended")
      ->type_name("DIR");
  app.footer(kFooter);
  return [o] { return std::make_unique<NearDedup>(*o); };
}

const RegisterStep near{
    {"dedup near", "Drop near duplicates: MinHash, bands, clusters", 12, define}};

}  // namespace
}  // namespace llmtool
