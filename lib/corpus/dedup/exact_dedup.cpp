#include "lib/corpus/dedup/exact_dedup.h"

#include <algorithm>

#include "lib/base/formatted.h"
#include "lib/corpus/dedup/dedup_index.h"
#include "lib/corpus/dedup/hash_merge.h"
#include "lib/corpus/dedup/logged_hashes.h"

namespace llmtool {
namespace {

constexpr const char* kHashes = "hashes";  // the data file of an index
constexpr const char* kRemovals = "removals";
constexpr size_t kAhead = 8;  // hashes whose places in a table are fetched

// What the rule about documents needs to know of each.
struct DocumentRecord {
  uint64_t hash, rank, content, id, index;
  uint64_t sort_prefix() const { return hash; }
  auto operator<=>(const DocumentRecord&) const = default;
};

struct PieceRecord {
  uint64_t hash, place;
  uint64_t sort_prefix() const { return hash; }
  auto operator<=>(const PieceRecord&) const = default;
};

PieceHasherOptions hashing_of(const ExactDedupOptions& o) {
  PieceHasherOptions hashing;
  hashing.unit = text_unit_of(o.unit);
  hashing.normalisation = normalisation_of(o.normalise);
  hashing.key = o.key;
  hashing.scope = o.scope;
  hashing.min_chars = *o.min_chars;
  return hashing;
}

ExactDedupOptions with_defaults(ExactDedupOptions o) {
  const TextUnit unit = text_unit_of(o.unit);
  const bool paragraphs = unit == TextUnit::kParagraph;
  if (o.normalise.empty()) o.normalise = paragraphs ? "ccnet" : "none";
  if (o.keep.empty()) {
    const bool lossy = unit == TextUnit::kDocument && (o.normalise != "none" || !o.key.empty());
    o.keep = paragraphs ? "none" : lossy ? "longest" : "first";
  }
  if (!o.min_chars) o.min_chars = unit == TextUnit::kLine ? 1 : 0;
  return o;
}

void validate(const ExactDedupOptions& o) {
  check(o.scope == "all" || o.scope == "folder" || o.scope == "file", Fault::kUsage, "--scope is '",
        o.scope, "', expected all, folder or file");
  if (o.unit == "document") {
    if (o.keep != "none") KeepRule(o.keep, o.keep_by);
    return;
  }
  check(o.keep == "first" || o.keep == "none", Fault::kUsage, "--keep ", o.keep,
        " is for documents; of copies of a ", o.unit, " the first is kept or none");
  check(o.key.empty(), Fault::kUsage, "--key is for --unit document, not ", o.unit);
}

IndexKind index_kind(const ExactDedupOptions& o) {
  return {.format = "llmtool exact index",
          .version = 1,
          .settings = concat("unit=", o.unit, " normalise=", o.normalise, " key=", o.key,
                             " scope=", o.scope, " hash=xxh3-64"),
          .files = {kHashes}};
}

fs::path hashes_before(const ExactDedupOptions& o, StepResources& resources) {
  if (o.index.empty()) return {};
  const fs::path index = index_before_run(o.index, index_kind(o), resources);
  return index.empty() ? index : index / kHashes;
}

SortPlace sort_place(const StepResources& resources) {
  return {resources.folder, resources.memory / 2, resources.pool};  // malloc keeps as much
}

void write_records(const PieceLog& log, const fs::path& path) {
  AtomicFile out(path);
  PieceLogReader reader(log);
  for (uint64_t document = 0; document < log.documents(); ++document) {
    const std::span<const uint64_t> hashes = reader.of(document);
    for (size_t i = 0; i < hashes.size(); ++i) {
      if (hashes[i] == PieceHasher::kExempt) continue;
      const PieceRecord record{hashes[i], place_of_piece(document, i)};
      out.write(&record, sizeof record);
    }
  }
  out.commit();
}

}  // namespace

// Logs what decides between documents.
class ExactDedup::DocumentObserver : public Step {
 public:
  DocumentObserver(ExactDedup& dedup, const KeepRule& rule) : dedup_(dedup), rule_(rule) {}

  std::string name() const override { return dedup_.name(); }
  void start(StepResources& resources) override {
    dedup_.make_hashers(resources.threads);
    hashes_before(dedup_.options_, resources);  // one that does not fit is refused at once
    records_ = &resources.log("records");
    documents_.emplace(resources, "documents");
  }
  void work(Document& document, Tally&, int thread) override {
    document.keys.clear();
    dedup_.hashers_[static_cast<size_t>(thread)].hash(document, document.keys);
    document.keys.push_back(rule_.rank(document));
    document.keys.push_back(content_hash(document));
  }
  bool in_order() const override { return true; }
  void decide(Document& document, Tally&) override {
    const DocumentRecord record{document.keys[0], document.keys[1], document.keys[2],
                                id_hash(document), document.index};
    if (record.hash != PieceHasher::kExempt) records_->append(&record, sizeof record);
    documents_->append(document);
  }

 private:
  ExactDedup& dedup_;
  KeepRule rule_;
  AppendLog* records_ = nullptr;
  std::optional<DocumentLog> documents_;
};

// Logs the hashes of pieces.
class ExactDedup::PieceObserver : public Step {
 public:
  explicit PieceObserver(ExactDedup& dedup) : dedup_(dedup) {}

  std::string name() const override { return dedup_.name(); }
  void start(StepResources& resources) override {
    dedup_.make_hashers(resources.threads);
    hashes_before(dedup_.options_, resources);  // one that does not fit is refused at once
    log_.emplace(resources);
  }
  void work(Document& document, Tally&, int thread) override {
    document.keys.clear();
    dedup_.hashers_[static_cast<size_t>(thread)].hash(document, document.keys);
  }
  bool in_order() const override { return true; }
  void decide(Document& document, Tally&) override { log_->append(document.keys); }

 private:
  ExactDedup& dedup_;
  std::optional<PieceLog> log_;
};

ExactDedup::ExactDedup(ExactDedupOptions options)
    : options_(with_defaults(std::move(options))),
      hashing_(hashing_of(options_)),
      piece_removal_(hashing_.unit, options_.min_bytes) {
  validate(options_);
  if (options_.keep == "first") return;
  if (by_document()) {
    const KeepRule rule =
        options_.keep == "none" ? KeepRule("first", "") : KeepRule(options_.keep, options_.keep_by);
    observer_ = std::make_unique<DocumentObserver>(*this, rule);
  } else {
    observer_ = std::make_unique<PieceObserver>(*this);
  }
}

ExactDedup::~ExactDedup() = default;

Step* ExactDedup::observer() {
  return observer_.get();
}

void ExactDedup::make_hashers(int threads) {
  hashers_.assign(static_cast<size_t>(threads), PieceHasher(hashing_));
}

void ExactDedup::start(StepResources& resources) {
  if (!observer_) return start_first(resources);
  if (!by_document()) return start_pieces(resources);
  removals_ = std::make_unique<RemovalReader>(resources.folder / kRemovals);
  documents_ = std::make_unique<DocumentLogReader>(DocumentLog(resources, "documents"));
}

void ExactDedup::start_first(StepResources& resources) {
  make_hashers(resources.threads);
  seen_ = std::make_unique<SeenSet>(resources.folder, resources.memory);
  const fs::path before = hashes_before(options_, resources);
  if (!before.empty()) {
    auto file = std::make_shared<PositionedFile>(PositionedFile::open(before));
    const uint64_t count = file->size() / sizeof(uint64_t);
    seen_->add_sorted(std::move(file), 0, count);
  }
  inserted_ = &resources.log("inserted");
  distinct_ = logged_hashes(*inserted_);
  for_each_logged(*inserted_, [&](std::span<const uint64_t> hashes) { seen_->insert(hashes); });
}

// In memory if the hashes fit, else what is removed is sorted on the disk: the same pieces.
void ExactDedup::start_pieces(StepResources& resources) {
  PieceLog log(resources);
  if (RepeatedHashes::bytes_for(log.pieces()) > resources.memory) {
    const fs::path removals = resources.folder / kRemovals;
    if (!fs::exists(removals)) sort_pieces(resources, log);
    removals_ = std::make_unique<RemovalReader>(removals);
    return;
  }
  repeated_ = std::make_unique<RepeatedHashes>();
  for_each_logged(log.hashes(), [&](std::span<const uint64_t> all) { repeated_->add(all); });
  SortedHashStream before(hashes_before(options_, resources));
  for (; !before.empty(); before.pop()) repeated_->mark(before.head());
  pieces_ = std::make_unique<PieceLogReader>(log);
}

void ExactDedup::work(Document& document, Tally&, int thread) {
  document.keys.clear();
  if (!observer_) hashers_[static_cast<size_t>(thread)].hash(document, document.keys);
}

void ExactDedup::decide(Document& document, Tally& tally) {
  if (!observer_) return decide_first(document, tally);
  if (by_document()) return decide_document(document);
  decide_pieces(document, tally);
}

void ExactDedup::decide_first(Document& document, Tally& tally) {
  const std::vector<uint64_t>& keys = document.keys;
  is_removed_.assign(keys.size(), false);
  new_hashes_.clear();
  bool any = false;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (i + kAhead < keys.size()) seen_->prefetch(keys[i + kAhead]);
    if (keys[i] == PieceHasher::kExempt) continue;
    if (seen_->insert(keys[i]))
      new_hashes_.push_back(keys[i]);
    else
      any = is_removed_[i] = true;
  }
  inserted_->append(new_hashes_.data(), new_hashes_.size() * sizeof(uint64_t));
  distinct_ += new_hashes_.size();
  if (!any) return;
  if (by_document()) {
    reject(document, "duplicate", formatted("%016llx", static_cast<unsigned long long>(keys[0])));
  } else {
    piece_removal_.remove(document, is_removed_, tally);
  }
}

void ExactDedup::decide_document(Document& document) {
  const auto removal = removals_->next_from(document.index);
  if (!removal || removal->place != document.index) return;
  if (removal->keeper == Removal::kIndex) return reject(document, "in_index");
  if (removal->keeper == Removal::kNobody) return reject(document, "duplicate");
  reject(document, "duplicate", documents_->id_of(removal->keeper));
}

void ExactDedup::decide_pieces(Document& document, Tally& tally) {
  const bool any = repeated_ ? find_repeated(document) : find_removals(document);
  if (any) piece_removal_.remove(document, is_removed_, tally);
}

// Both tell whether any piece is to go, and which in is_removed_.
bool ExactDedup::find_repeated(const Document& document) {
  if (document.index >= pieces_->documents()) fail_inputs_changed();
  const std::span<const uint64_t> hashes = pieces_->of(document.index);
  is_removed_.assign(hashes.size(), false);
  bool any = false;
  for (size_t i = 0; i < hashes.size(); ++i) {
    if (i + kAhead < hashes.size()) repeated_->prefetch(hashes[i + kAhead]);
    if (repeated_->is_repeated(hashes[i])) any = is_removed_[i] = true;
  }
  return any;
}

bool ExactDedup::find_removals(const Document& document) {
  const uint64_t begin = place_of_piece(document.index, 0);
  const uint64_t last = begin | ((uint64_t{1} << kPieceBits) - 1);
  auto removal = removals_->next_from(begin);
  if (!removal || removal->place > last) return false;
  std::vector<TextPiece> pieces;
  cut_text(document.text, hashing_.unit, pieces);
  is_removed_.assign(pieces.size(), false);
  for (; removal && removal->place <= last; removal = removals_->next_from(removal->place + 1)) {
    if (removal->place - begin >= is_removed_.size()) fail_inputs_changed();
    is_removed_[removal->place - begin] = true;
  }
  return true;
}

// Pieces wait for start(), which may find room for them in memory. Groups of one hash come with the
// best document first.
void ExactDedup::conclude(StepResources& resources) {
  if (!by_document()) return;
  RemovalWriter removals(resources.folder / kRemovals, sort_place(resources));
  AppendLog& log = resources.log("records");
  log.flush();
  SortedHashStream before(hashes_before(options_, resources));
  AtomicFile hashes(resources.folder / kHashes);  // for the index
  std::optional<DocumentRecord> first;
  bool in_index = false, several = false;
  const auto end_group = [&] {
    if (!first || in_index || options_.keep != "none" || !several) return;
    removals.add({first->index, Removal::kNobody});
  };
  external_sort<DocumentRecord>(
      log.path(), sort_place(resources), [&](std::span<const DocumentRecord> records) {
        for (const DocumentRecord& r : records) {
          if (!first || first->hash != r.hash) {
            end_group();
            first = r;
            in_index = before.contains(r.hash);
            several = false;
            hashes.write(&r.hash, sizeof r.hash);
            if (in_index) removals.add({r.index, Removal::kIndex});
            continue;
          }
          several = true;
          const uint64_t keeper = in_index                  ? Removal::kIndex
                                  : options_.keep == "none" ? Removal::kNobody
                                                            : first->index;
          removals.add({r.index, keeper});
        }
      });
  end_group();
  hashes.commit();
  removals.commit();
}

void ExactDedup::sort_pieces(StepResources& resources, const PieceLog& log) {
  const fs::path unsorted = resources.folder / "records";
  write_records(log, unsorted);
  RemovalWriter removals(resources.folder / kRemovals, sort_place(resources));
  SortedHashStream before(hashes_before(options_, resources));
  AtomicFile hashes(resources.folder / kHashes);  // for the index
  std::optional<PieceRecord> first;
  bool removing = false;
  external_sort<PieceRecord>(unsorted, sort_place(resources),
                             [&](std::span<const PieceRecord> records) {
                               for (const PieceRecord& r : records) {
                                 if (!first || first->hash != r.hash) {
                                   first = r;
                                   removing = before.contains(r.hash);
                                   hashes.write(&r.hash, sizeof r.hash);
                                   if (removing) removals.add({r.place, Removal::kIndex});
                                   continue;
                                 }
                                 if (!removing) removals.add({first->place, Removal::kNobody});
                                 removing = true;
                                 removals.add({r.place, Removal::kNobody});
                               }
                             });
  hashes.commit();
  removals.commit();
  fs::remove(unsorted);
}

void ExactDedup::finish(StepResources& resources) {
  if (options_.index.empty()) return;
  IndexWriter index(options_.index, index_kind(options_));
  AtomicFile out(index.file(kHashes));
  const fs::path before = hashes_before(options_, resources);
  HashUnion all(out, before);
  if (repeated_) {
    for (const uint64_t hash : repeated_->sort()) all.add(hash);
  } else if (observer_) {
    SortedHashStream hashes(resources.folder / kHashes);
    for (; !hashes.empty(); hashes.pop()) all.add(hashes.head());
  } else {
    seen_.reset();  // its memory is for sorting now
    inserted_->flush();
    external_sort<uint64_t>(inserted_->path(), sort_place(resources),
                            [&](std::span<const uint64_t> hashes) {
                              for (const uint64_t hash : hashes) all.add(hash);
                            });
  }
  all.finish();
  out.commit();
  index.commit(before.parent_path());
}

std::vector<Fact> ExactDedup::facts() const {
  std::vector<Fact> facts{fact("unit", options_.unit), fact("normalise", options_.normalise),
                          fact("keep", options_.keep)};
  if (!observer_) facts.push_back(fact("distinct hashes", distinct_));
  if (removals_) facts.push_back(fact("copies removed", removals_->count()));
  if (repeated_) facts.push_back(fact("copies removed", repeated_->repeats()));
  return facts;
}

}  // namespace llmtool
