#include "lib/corpus/dedup/near_index.h"

#include "lib/corpus/dedup/document_log.h"
#include "lib/corpus/dedup/near_clusters.h"
#include "lib/corpus/dedup/removals.h"
#include "lib/corpus/dedup/shingle_sets.h"

namespace llmtool {
namespace {

constexpr size_t kBuffer = 4096;  // records

void copy_into(AtomicFile& out, const fs::path& from) {
  const PositionedFile file = PositionedFile::open(from);
  std::string buffer;
  for (uint64_t at = 0; at < file.size(); at += buffer.size()) {
    buffer.resize(std::min<uint64_t>(file.size() - at, size_t{1} << 20));
    file.read(at, buffer.data(), buffer.size());
    out.write(buffer);
  }
}

class NearIndexWriter {
 public:
  NearIndexWriter(IndexWriter& index, const NearSettings& settings, const fs::path& before,
                  StepResources& resources)
      : index_(index),
        before_(before),
        resources_(resources),
        bands_(resources.folder / "new_bands"),
        ids_(index.file(kIndexIds)),
        id_ends_(index.file(kIndexIdEnds)) {
    if (settings.verify) {
      sets_.emplace(index.file(kIndexShingles));
      set_ends_.emplace(index.file(kIndexShingleEnds));
    }
  }

  void write() {
    copy_old();
    add_kept();
    commit();
    merge_bands();
  }

 private:
  void copy_old() {
    if (before_.empty()) return;
    copy_into(ids_, before_ / kIndexIds);
    copy_into(id_ends_, before_ / kIndexIdEnds);
    if (!sets_) return;
    copy_into(*sets_, before_ / kIndexShingles);
    copy_into(*set_ends_, before_ / kIndexShingleEnds);
  }

  fs::path flushed(const char* name) {
    AppendLog& log = resources_.log(name);
    log.flush();
    return log.path();
  }

  // The logs are in the order of the documents, the removals too.
  void add_kept() {
    DocumentLogReader documents(DocumentLog(resources_, kDocumentLog));
    RemovalReader removals(resources_.folder / "removals");
    const PositionedFile band_file = PositionedFile::open(flushed(kBandLog));
    const uint64_t band_count = band_file.size() / sizeof(BandRecord);
    std::optional<detail::SortedRun<BandRecord>> bands;
    if (band_count > 0) bands.emplace(band_file, 0, band_count, kBuffer);
    std::optional<ShingleSets> shingles;
    if (sets_) shingles.emplace(flushed(kShingleLog), flushed(kShingleEndLog));
    uint32_t next = static_cast<uint32_t>(documents_in_index(before_));
    std::vector<uint32_t> set;
    for (uint64_t n = 0; n < documents.count(); ++n) {
      const uint64_t place = documents.index(n);
      const auto removal = removals.next_from(place);
      const bool kept = !removal || removal->place != place;
      for (; bands && !bands->empty() && bands->head().number == n; bands->pop()) {
        if (!kept) continue;
        BandRecord record = bands->head();
        record.number = next;
        bands_.write(&record, sizeof record);
      }
      if (!kept) continue;
      ++next;
      ids_.write(documents.id_of(place));
      const uint64_t end = ids_.size();
      id_ends_.write(&end, sizeof end);
      if (!shingles) continue;
      shingles->read(n, set);
      sets_->write(set.data(), set.size() * sizeof(uint32_t));
      const uint64_t set_end = sets_->size() / sizeof(uint32_t);
      set_ends_->write(&set_end, sizeof set_end);
    }
  }

  void commit() {
    bands_.commit();
    ids_.commit();
    id_ends_.commit();
    if (!sets_) return;
    sets_->commit();
    set_ends_->commit();
  }

  void merge_bands() {
    AtomicFile out(index_.file(kIndexBands));
    std::optional<PositionedFile> old_file;
    std::optional<detail::SortedRun<BandRecord>> old;
    if (!before_.empty()) {
      old_file.emplace(PositionedFile::open(before_ / kIndexBands));
      const uint64_t count = old_file->size() / sizeof(BandRecord);
      if (count > 0) old.emplace(*old_file, 0, count, kBuffer);
    }
    const auto take_old = [&](const BandRecord* before) {
      for (; old && !old->empty() && (!before || old->head() < *before); old->pop()) {
        out.write(&old->head(), sizeof(BandRecord));
      }
    };
    const fs::path unsorted = resources_.folder / "new_bands";
    external_sort<BandRecord>(unsorted, {resources_.folder, resources_.memory / 2, resources_.pool},
                              [&](std::span<const BandRecord> records) {
                                for (const BandRecord& r : records) {
                                  take_old(&r);
                                  out.write(&r, sizeof r);
                                }
                              });
    take_old(nullptr);
    out.commit();
    std::error_code ignored;
    fs::remove(unsorted, ignored);
  }

  IndexWriter& index_;
  fs::path before_;
  StepResources& resources_;
  AtomicFile bands_, ids_, id_ends_;
  std::optional<AtomicFile> sets_, set_ends_;
};

}  // namespace

void write_near_index(const fs::path& to, const NearSettings& settings, const fs::path& before,
                      StepResources& resources) {
  IndexWriter index(to, near_index_kind(settings));
  NearIndexWriter(index, settings, before, resources).write();
  index.commit(before);
}

}  // namespace llmtool
