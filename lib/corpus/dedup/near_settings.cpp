#include "lib/corpus/dedup/near_settings.h"

#include "lib/base/error.h"
#include "lib/corpus/dedup/near_clusters.h"

namespace llmtool {
namespace {

constexpr int kMostHashes = 4096;
constexpr int kMostShingle = 1000;

NearSettings preset_of(std::string_view name) {
  NearSettings s;
  if (name == "datatrove") {
    s.shingler = {.words = true, .size = 5, .normalisation = Normalisation::kDatatrove};
    s.lsh = {14, 8};
  } else if (name == "text-dedup") {
    s.shingler = {.words = true, .size = 5, .normalisation = Normalisation::kTextDedup};
    s.lsh = {25, 10};
  } else {
    check(name == "nemo", Fault::kUsage, "unknown preset '", name,
          "', expected datatrove, text-dedup or nemo");
    s.shingler = {.words = false, .size = 24, .normalisation = Normalisation::kNone};
    s.lsh = {20, 13};
  }
  return s;
}

void choose_bands(const NearDedupOptions& o, NearSettings& s) {
  check((o.bands == 0) == (o.rows == 0), Fault::kUsage, "--bands and --rows go together");
  check(o.bands == 0 || o.threshold == 0, Fault::kUsage,
        "--threshold chooses bands and rows: give it, or --bands and --rows");
  check(o.num_hashes == 0 || o.threshold != 0, Fault::kUsage,
        "--num-hashes goes with --threshold; with bands and rows it is their product");
  if (o.bands != 0) {
    check(o.bands > 0 && o.rows > 0 && o.bands <= kMostHashes && o.rows <= kMostHashes &&
              o.bands * o.rows <= kMostHashes,
          Fault::kUsage, "--bands ", o.bands, " --rows ", o.rows, ": expected a product from 1 to ",
          kMostHashes);
    s.lsh = {o.bands, o.rows};
  }
  if (o.threshold == 0) return;
  check(o.threshold > 0 && o.threshold < 1, Fault::kUsage, "--threshold ", o.threshold,
        ", expected a number between 0 and 1");
  check(o.num_hashes >= 0 && o.num_hashes <= kMostHashes, Fault::kUsage, "--num-hashes ",
        o.num_hashes, ", expected 1 to ", kMostHashes);
  s.lsh = best_for_threshold(o.threshold, o.num_hashes == 0 ? 128 : o.num_hashes);
}

}  // namespace

NearSettings near_settings(const NearDedupOptions& o) {
  NearSettings s = preset_of(o.preset);
  if (!o.normalise.empty()) s.shingler.normalisation = normalisation_of(o.normalise);
  if (!o.shingle.empty()) {
    check(o.shingle == "words" || o.shingle == "characters", Fault::kUsage, "--shingle is '",
          o.shingle, "', expected words or characters");
    s.shingler.words = o.shingle == "words";
  }
  check(o.shingle_size >= 0 && o.shingle_size <= kMostShingle, Fault::kUsage, "--shingle-size ",
        o.shingle_size, ", expected 1 to ", kMostShingle);
  if (o.shingle_size != 0) s.shingler.size = o.shingle_size;
  choose_bands(o, s);
  check(!o.verify || (*o.verify >= 0 && *o.verify <= 1), Fault::kUsage, "--verify ",
        o.verify.value_or(0), ", expected a similarity from 0 to 1");
  s.seed = o.seed;
  s.verify = o.verify;
  return s;
}

IndexKind near_index_kind(const NearSettings& s) {
  std::vector<std::string> files = {kIndexBands, kIndexIds, kIndexIdEnds};
  if (s.verify) files.insert(files.end(), {kIndexShingles, kIndexShingleEnds});
  return {.format = "llmtool near index",
          .version = 1,
          .settings = concat("normalise=", name_of(s.shingler.normalisation), " shingle=",
                             s.shingler.words ? "words" : "characters", " size=", s.shingler.size,
                             " bands=", s.lsh.bands, " rows=", s.lsh.rows, " seed=", s.seed,
                             " shingles-kept=", s.verify ? "yes" : "no"),
          .files = std::move(files)};
}

}  // namespace llmtool
