#include "lib/corpus/dedup/near_dedup.h"

#include "lib/base/error.h"
#include "lib/base/formatted.h"
#include "lib/base/text_stream.h"
#include "lib/corpus/dedup/min_hasher.h"
#include "lib/corpus/dedup/near_index.h"
#include "lib/corpus/dedup/shingle_sets.h"
#include "lib/report/page.h"
#include "lib/report/table.h"

namespace llmtool {

// Logs what clusters are made of. Keys of a document: rank, content hash, one key a band (none if
// it has no shingle) and, to be verified, its shingles.
class NearDedup::Observer : public Step {
 public:
  Observer(const NearSettings& settings, const KeepRule& keep)
      : settings_(settings),
        keep_(keep),
        hasher_(settings.lsh.bands, settings.lsh.rows, settings.seed) {}

  std::string name() const override { return "dedup near"; }

  void start(StepResources& resources) override {
    workers_.assign(static_cast<size_t>(resources.threads), Worker(settings_.shingler));
    documents_.emplace(resources, kDocumentLog);
    bands_ = &resources.log(kBandLog);
    ranks_ = &resources.log(kRankLog);
    if (!settings_.verify) return;
    shingles_ = &resources.log(kShingleLog);
    shingle_ends_ = &resources.log(kShingleEndLog);
  }

  void work(Document& document, Tally&, int thread) override {
    Worker& worker = workers_[static_cast<size_t>(thread)];
    worker.shingler.shingle(document.text, worker.hashes);
    document.keys.assign({keep_.rank(document), content_hash(document)});
    if (worker.hashes.empty()) return;
    if (settings_.verify) make_set(worker.hashes);
    hasher_.sign(worker.hashes, worker.signature);
    hasher_.append_keys(worker.signature, document.keys);
    if (!settings_.verify) return;
    document.keys.insert(document.keys.end(), worker.hashes.begin(), worker.hashes.end());
  }

  bool in_order() const override { return true; }

  void decide(Document& document, Tally&) override {
    const std::vector<uint64_t>& keys = document.keys;
    const uint64_t number = documents_->count();
    check(number < ~uint32_t{0}, Fault::kInput, where(document),
          ": more than 2^32 - 1 documents in one run");
    const auto bands = keys.size() > 2 ? static_cast<size_t>(settings_.lsh.bands) : 0;
    records_.clear();
    for (size_t i = 0; i < bands; ++i) {
      records_.push_back(
          {keys[2 + i], static_cast<uint32_t>(keys[1] >> 32), static_cast<uint32_t>(number)});
    }
    bands_->append(records_.data(), records_.size() * sizeof(BandRecord));
    const RankRecord rank{keys[0], keys[1], id_hash(document)};
    ranks_->append(&rank, sizeof rank);
    documents_->append(document);
    if (!settings_.verify) return;
    set_.assign(keys.begin() + static_cast<std::ptrdiff_t>(2 + bands), keys.end());
    shingles_->append(set_.data(), set_.size() * sizeof(uint32_t));
    const uint64_t end = shingles_->size() / sizeof(uint32_t);
    shingle_ends_->append(&end, sizeof end);
  }

 private:
  struct Worker {
    explicit Worker(const ShinglerOptions& options) : shingler(options) {}
    Shingler shingler;
    std::vector<uint32_t> hashes, signature;
  };

  NearSettings settings_;
  KeepRule keep_;
  MinHasher hasher_;
  std::vector<Worker> workers_;
  std::optional<DocumentLog> documents_;
  AppendLog *bands_ = nullptr, *ranks_ = nullptr;
  AppendLog *shingles_ = nullptr, *shingle_ends_ = nullptr;
  std::vector<BandRecord> records_;
  std::vector<uint32_t> set_;
};

NearDedup::NearDedup(const NearDedupOptions& options)
    : options_(options),
      settings_(near_settings(options)),
      keep_(options.keep, options.keep_by),
      observer_(std::make_unique<Observer>(settings_, keep_)) {}

NearDedup::~NearDedup() = default;

Step* NearDedup::observer() {
  return observer_.get();
}

fs::path NearDedup::index_before(StepResources& resources) const {
  if (options_.index.empty()) return {};
  return index_before_run(options_.index, near_index_kind(settings_), resources);
}

void NearDedup::conclude(StepResources& resources) {
  build_clusters(settings_, index_before(resources), resources);
}

void NearDedup::start(StepResources& resources) {
  index_ = index_before(resources);
  removals_ = std::make_unique<RemovalReader>(resources.folder / "removals");
  documents_ = std::make_unique<DocumentLogReader>(DocumentLog(resources, kDocumentLog));
  stats_ = read_cluster_stats(resources.folder);
}

void NearDedup::decide(Document& document, Tally&) {
  const auto removal = removals_->next_from(document.index);
  if (!removal || removal->place != document.index) return;
  if ((removal->keeper & kKeptInIndex) != 0) {
    reject(document, "in_index", id_in_index(index_, removal->keeper & ~kKeptInIndex));
  } else {
    reject(document, "near_duplicate", documents_->id_of(removal->keeper));
  }
}

void NearDedup::finish(StepResources& resources) {
  if (!options_.clusters.empty()) {
    OutputStream out(options_.clusters);
    const PositionedFile clusters = PositionedFile::open(resources.folder / "clusters");
    std::string buffer;
    for (uint64_t at = 0; at < clusters.size(); at += buffer.size()) {
      buffer.resize(std::min<uint64_t>(clusters.size() - at, size_t{1} << 20));
      clusters.read(at, buffer.data(), buffer.size());
      out.write(buffer);
    }
    out.close();
  }
  if (options_.index.empty()) return;
  write_near_index(options_.index, settings_, index_before(resources), resources);
}

std::vector<Fact> NearDedup::facts() const {
  const ShinglerOptions& s = settings_.shingler;
  const double threshold = threshold_of(settings_.lsh);
  return {fact("shingles", concat(s.size, s.words ? " words" : " characters",
                                  ", normalised: ", name_of(s.normalisation))),
          fact("bands", settings_.lsh.bands),
          fact("rows", settings_.lsh.rows),
          fact("threshold of the bands", threshold, formatted("%.3f", threshold)),
          fact("verified", settings_.verify ? concat("Jaccard >= ", *settings_.verify) : "no"),
          fact("clusters", stats_.clusters),
          fact("removed", stats_.removed)};
}

std::string NearDedup::report_html() const {
  std::vector<std::vector<std::string>> sizes, largest, curve;
  for (size_t i = 0; i < stats_.sizes.size(); ++i) {
    const uint64_t low = uint64_t{1} << i;
    if (stats_.sizes[i] == 0) continue;
    sizes.push_back({concat(low, " to ", 2 * low - 1), concat(stats_.sizes[i])});
  }
  for (const auto& [size, id] : stats_.largest) largest.push_back({concat(size), id});
  for (int i = 4; i <= 10; ++i) {
    curve.push_back({formatted("%.1f", i / 10.0),
                     formatted("%.4f", candidate_probability(i / 10.0, settings_.lsh))});
  }
  return section("Sizes of clusters", grid_table({"documents", "clusters"}, sizes)) +
         section("Largest clusters", grid_table({"documents", "kept"}, largest)) +
         section("Who is found: 1 - (1 - s^rows)^bands",
                 grid_table({"Jaccard similarity s", "probability"}, curve));
}

}  // namespace llmtool
