#include "lib/corpus/dedup/near_clusters.h"

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>
#include <optional>

#include "lib/base/error.h"
#include "lib/corpus/dedup/document_log.h"
#include "lib/corpus/dedup/removals.h"
#include "lib/corpus/dedup/shingle_sets.h"
#include "lib/corpus/dedup/union_find.h"
#include "lib/io/jsonl.h"

namespace llmtool {
namespace {

constexpr size_t kMostLeaders = 16;  // of a bucket, that a document is compared with
constexpr size_t kLargest = 20;
constexpr size_t kBuffer = 4096;  // records

// A member of a cluster of two or more; sorted, the best of a cluster comes first.
struct Member {
  uint32_t root;
  uint32_t is_new;  // not of the index
  RankRecord rank;
  uint64_t place;  // Document::index; the number of one of the index
  auto operator<=>(const Member&) const = default;
};

fs::path flushed(StepResources& resources, const char* name) {
  AppendLog& log = resources.log(name);
  log.flush();
  return log.path();
}

// The buckets of one key that the index has.
class IndexBuckets {
 public:
  explicit IndexBuckets(const fs::path& index) {
    if (index.empty()) return;
    file_ = std::make_unique<PositionedFile>(PositionedFile::open(index / kIndexBands));
    const uint64_t count = file_->size() / sizeof(BandRecord);
    if (count > 0) run_.emplace(*file_, 0, count, kBuffer);
  }
  // Calls f(number) for those of this key; keys never fall.
  template <class F>
  void for_each(uint64_t key, F&& f) {
    if (!run_) return;
    for (; !run_->empty() && run_->head().key <= key; run_->pop()) {
      if (run_->head().key == key) f(run_->head().number);
    }
  }

 private:
  std::unique_ptr<PositionedFile> file_;
  std::optional<detail::SortedRun<BandRecord>> run_;
};

// Joins the documents of a bucket: all of them, or those whose sets of shingles are alike.
class BucketJoiner {
 public:
  BucketJoiner(const NearSettings& settings, const fs::path& index, StepResources& resources,
               UnionFind& sets)
      : least_(settings.verify), in_index_(documents_in_index(index)), sets_(sets) {
    if (!least_) return;
    new_sets_.emplace(flushed(resources, kShingleLog), flushed(resources, kShingleEndLog));
    if (!index.empty()) {
      index_sets_.emplace(index / kIndexShingles, index / kIndexShingleEnds);
    }
  }

  void begin() { leader_count_ = 0; }

  // Without a check the first of a bucket leads all. With it a document joins the first leader that
  // it is like, or leads from then on: leaders are unlike each other, and no bucket is compared in
  // full.
  void add(uint32_t number) {
    if (!least_) {
      if (leader_count_ > 0)
        sets_.join(leaders_[0].number, number);
      else
        lead(number);
      return;
    }
    for (size_t i = 0; i < leader_count_; ++i) {
      if (sets_.find(leaders_[i].number) == sets_.find(number)) return;
    }
    read(number, set_);
    for (size_t i = 0; i < leader_count_; ++i) {
      if (jaccard(leaders_[i].set, set_) < *least_) continue;
      sets_.join(leaders_[i].number, number);
      return;
    }
    lead(number);
  }

 private:
  struct Leader {
    uint32_t number = 0;
    std::vector<uint32_t> set;
  };

  void lead(uint32_t number) {
    if (leader_count_ == kMostLeaders) return;
    leaders_[leader_count_].number = number;
    leaders_[leader_count_++].set.swap(set_);
  }
  void read(uint32_t number, std::vector<uint32_t>& set) const {
    if (number < in_index_)
      index_sets_->read(number, set);
    else
      new_sets_->read(number - in_index_, set);
  }

  std::optional<double> least_;
  uint64_t in_index_;
  UnionFind& sets_;
  std::optional<ShingleSets> new_sets_, index_sets_;
  Leader leaders_[kMostLeaders];
  size_t leader_count_ = 0;
  std::vector<uint32_t> set_;
};

class ClusterBuilder {
 public:
  ClusterBuilder(const NearSettings& settings, const fs::path& index, StepResources& resources)
      : settings_(settings),
        index_(index),
        resources_(resources),
        in_index_(documents_in_index(index)),
        documents_(DocumentLog(resources, kDocumentLog)),
        sets_(checked_count()),
        place_{resources.folder, (resources.memory - bytes_) / 2, resources.pool} {}

  void run() {
    join_buckets();
    gather_members();
    write_clusters();
  }

 private:
  uint32_t checked_count() {
    const uint64_t count = in_index_ + documents_.count();
    bytes_ = UnionFind::bytes_for(count);
    check(count < ~uint32_t{0}, Fault::kInput, count, " documents, expected less than 2^32");
    if (bytes_ > resources_.memory / 2) {
      fail(Fault::kUsage,
           concat("clusters of ", count, " documents take ", bytes_, " bytes, and half of the ",
                  resources_.memory, " that --memory leaves to this step is less"),
           concat("give at least --memory ", 2 * bytes_ / (1 << 20) + 1, "M"));
    }
    return static_cast<uint32_t>(count);
  }

  void join_buckets() {
    IndexBuckets old(index_);
    BucketJoiner joiner(settings_, index_, resources_, sets_);
    std::optional<uint64_t> key;
    external_sort<BandRecord>(
        flushed(resources_, kBandLog), place_, [&](std::span<const BandRecord> records) {
          for (const BandRecord& r : records) {
            if (key != r.key) {
              key = r.key;
              joiner.begin();
              old.for_each(r.key, [&](uint32_t number) { joiner.add(number); });
            }
            joiner.add(static_cast<uint32_t>(in_index_ + r.number));
          }
        });
  }

  void gather_members() {
    AtomicFile out(resources_.folder / "members");
    for (uint32_t i = 0; i < in_index_; ++i) {
      if (!sets_.is_joined(i)) continue;
      const Member member{sets_.find(i), 0, {0, 0, 0}, i};
      out.write(&member, sizeof member);
    }
    const PositionedFile ranks = PositionedFile::open(flushed(resources_, kRankLog));
    stats_.documents = documents_.count();
    if (stats_.documents > 0) {
      detail::SortedRun<RankRecord> next(ranks, 0, stats_.documents, kBuffer);
      for (uint64_t n = 0; n < stats_.documents; ++n, next.pop()) {
        const auto i = static_cast<uint32_t>(in_index_ + n);
        if (!sets_.is_joined(i)) continue;
        const Member member{sets_.find(i), 1, next.head(), documents_.index(n)};
        out.write(&member, sizeof member);
      }
    }
    out.commit();
  }

  void write_clusters() {
    RemovalWriter removals(resources_.folder / "removals", place_);
    AtomicFile clusters(resources_.folder / "clusters");
    external_sort<Member>(resources_.folder / "members", place_,
                          [&](std::span<const Member> members) {
                            for (const Member& m : members) add(m, removals, clusters);
                          });
    end_cluster(clusters);
    clusters.commit();
    std::error_code ignored;
    fs::remove(resources_.folder / "members", ignored);
    removals.commit();
    write_stats();
  }

  void add(const Member& m, RemovalWriter& removals, AtomicFile& clusters) {
    if (!kept_ || kept_->root != m.root) {
      end_cluster(clusters);
      kept_ = m;
      size_ = 1;
      kept_id_ = id_of(m);
      line_ = "{\"kept\":";
      append_json_string(line_, kept_id_);
      line_ += ",\"removed\":[";
      return;
    }
    ++size_;
    if (m.is_new == 0) return;  // two of the index stay both
    const uint64_t keeper = kept_->is_new ? kept_->place : kKeptInIndex | kept_->place;
    removals.add({m.place, keeper});
    ++stats_.removed;
    if (line_.back() != '[') line_.push_back(',');
    append_json_string(line_, id_of(m));
    if (line_.size() > 1 << 16) {
      clusters.write(line_);
      line_ = " ";
    }
  }

  void end_cluster(AtomicFile& clusters) {
    if (!kept_) return;
    line_ += concat("],\"size\":", size_, ",\"kept_in_index\":", kept_->is_new == 0, "}\n");
    clusters.write(line_);
    ++stats_.clusters;
    const auto bucket = static_cast<size_t>(std::bit_width(size_) - 1);
    if (stats_.sizes.size() <= bucket) stats_.sizes.resize(bucket + 1);
    ++stats_.sizes[bucket];
    auto& largest = stats_.largest;
    const auto at = std::find_if(largest.begin(), largest.end(),
                                 [&](const auto& entry) { return entry.first < size_; });
    largest.insert(at, {size_, kept_id_});
    if (largest.size() > kLargest) largest.pop_back();
  }

  std::string id_of(const Member& m) const {
    return m.is_new ? documents_.id_of(m.place) : id_in_index(index_, m.place);
  }

  void write_stats() const {
    const nlohmann::json stats{{"documents", stats_.documents},
                               {"clusters", stats_.clusters},
                               {"removed", stats_.removed},
                               {"sizes", stats_.sizes},
                               {"largest", stats_.largest}};
    write_file(resources_.folder / "cluster_stats",
               stats.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  }

  const NearSettings& settings_;
  fs::path index_;
  StepResources& resources_;
  uint64_t in_index_;
  DocumentLogReader documents_;
  uint64_t bytes_ = 0;
  UnionFind sets_;
  SortPlace place_;
  ClusterStats stats_;
  std::optional<Member> kept_;
  uint64_t size_ = 0;
  std::string kept_id_, line_;
};

}  // namespace

void build_clusters(const NearSettings& settings, const fs::path& index, StepResources& resources) {
  ClusterBuilder(settings, index, resources).run();
}

ClusterStats read_cluster_stats(const fs::path& folder) {
  const auto json = nlohmann::json::parse(read_file(folder / "cluster_stats"));
  return {.documents = json.at("documents"),
          .clusters = json.at("clusters"),
          .removed = json.at("removed"),
          .sizes = json.at("sizes").get<std::vector<uint64_t>>(),
          .largest = json.at("largest").get<std::vector<std::pair<uint64_t, std::string>>>()};
}

uint64_t documents_in_index(const fs::path& index) {
  return index.empty() ? 0 : fs::file_size(index / kIndexIdEnds) / sizeof(uint64_t);
}

std::string id_in_index(const fs::path& index, uint64_t number) {
  const PositionedFile ids = PositionedFile::open(index / kIndexIds);
  const PositionedFile ends = PositionedFile::open(index / kIndexIdEnds);
  uint64_t begin = 0, end = 0;
  if (number > 0) ends.read((number - 1) * sizeof begin, &begin, sizeof begin);
  ends.read(number * sizeof end, &end, sizeof end);
  std::string id(end - begin, '\0');
  ids.read(begin, id.data(), id.size());
  return id;
}

}  // namespace llmtool
