#include "lib/corpus/ngram/train_levels.h"

#include <algorithm>
#include <array>
#include <mutex>

#include "lib/base/error.h"
#include "lib/base/interrupt.h"

namespace llmtool {
namespace {

constexpr uint64_t kMarkDistance = 4096;
constexpr size_t kLevelExtent = size_t{64} << 10;
constexpr uint64_t kLeastRange = 4096;  // records

// Makes the nodes of one range from its n-grams in suffix order.
template <int kOrder>
class RangeBuilder {
 public:
  using Words = std::array<NgramWord, kOrder>;

  RangeBuilder(NgramLevels& levels, size_t range, const PruneRule& rule) : rule_(rule) {
    for (NgramLevel& level : levels.levels) {
      writers_.emplace_back(*levels.file, level.ranges[range]);
    }
  }

  // <unk> and <s> end no n-gram of a text.
  void add_words_without_text() {
    for (const NgramWord word : {kUnknownWord, kSentenceStart}) {
      open_[1] = {.word = word};
      ++opened_[1];
      close(1, false);
    }
  }

  void take(const Words& words, uint64_t count) {
    const int same = common_suffix(words);
    for (int k = depth_; k > same; --k) close(k, false);
    for (int k = 1; k <= same; ++k) open_[at(k)].occurrences += count;
    if (same > 0) ++open_[at(same)].count;
    depth_ = same;
    for (int k = same + 1; k < kOrder; ++k) {
      const NgramWord word = words[at(kOrder - k)];
      open(k, word, k > same + 1, count);
      if (word == kSentenceStart) break;
    }
    if (depth_ == kOrder - 1 && (kOrder == 1 || open_[at(depth_)].word != kSentenceStart)) {
      open(kOrder, words[0], kOrder > same + 1, count);
      open_[kOrder].count = count;
      close(kOrder, false);
      --depth_;
    }
    previous_ = words;
    any_ = true;
  }

  // by_occurrences: see build_levels.
  void end(bool by_occurrences) {
    for (int k = depth_; k > 0; --k) close(k, by_occurrences);
    for (auto& writer : writers_) writer.finish();
  }

  const OrderStatistics& statistics(int k) const { return statistics_[at(k)]; }
  std::vector<LevelMark>& marks(int k) { return marks_[at(k)]; }

 private:
  struct Open {
    NgramWord word = 0;
    bool first = false, blocked = false;
    uint64_t count = 0, occurrences = 0;
  };

  static constexpr size_t at(int k) { return static_cast<size_t>(k); }

  int common_suffix(const Words& words) const {
    int same = 0;
    while (any_ && same < depth_ &&
           words[at(kOrder - 1 - same)] == previous_[at(kOrder - 1 - same)])
      ++same;
    return same;
  }

  void open(int k, NgramWord word, bool first, uint64_t count) {
    if (first && k > 1 && opened_[at(k)] >= next_mark_[at(k)]) {
      marks_[at(k)].push_back({opened_[at(k - 1)] - 1, opened_[at(k)]});
      next_mark_[at(k)] = opened_[at(k)] + kMarkDistance;
    }
    const bool blocked = (k > 1 && open_[at(k - 1)].blocked) ||
                         (!rule_.allowed.empty() && word > kSentenceEnd && !rule_.allowed[word]);
    open_[at(k)] = {.word = word,
                    .first = first,
                    .blocked = blocked,
                    .count = word == kSentenceStart ? count : 1,
                    .occurrences = count};
    ++opened_[at(k)];
    depth_ = k;
  }

  void close(int k, bool by_occurrences) {
    const Open& node = open_[at(k)];
    const bool special = k == 1 && node.word <= kSentenceEnd;
    const bool marked = !special && (node.blocked || node.occurrences <= rule_.prune[at(k) - 1]);
    check(node.count <= LevelNode::kMostCount, Fault::kInput, "an n-gram of order ", k,
          " occurs more than ", LevelNode::kMostCount, " times");
    statistics_[at(k)].add(by_occurrences ? node.occurrences : node.count, marked);
    writers_[at(k) - 1].push(LevelNode(node.word, node.first, marked, node.count));
  }

  const PruneRule& rule_;
  std::vector<SpillWriter<LevelNode>> writers_;
  std::array<Open, kOrder + 2> open_{};
  std::array<uint64_t, kOrder + 1> opened_{}, next_mark_{};
  std::array<OrderStatistics, kOrder + 1> statistics_;
  std::array<std::vector<LevelMark>, kOrder + 1> marks_;
  Words previous_{};
  bool any_ = false;
  int depth_ = 0;  // levels that are open
};

// Last words at which ranges begin: the first is 0, and each but the first ends an n-gram.
template <int kOrder>
std::vector<NgramWord> range_starts(const NgramCounter<kOrder>& counter, size_t threads) {
  constexpr uint64_t kSamples = 4096;
  uint64_t records = 0;
  for (const auto& run : counter.runs()) records += run.end - run.begin;
  const uint64_t ranges = std::clamp<uint64_t>(records / kLeastRange, 1, 8 * threads);
  std::vector<NgramWord> sample;
  const uint64_t step = std::max<uint64_t>(1, records / kSamples);
  for (const auto& run : counter.runs()) {
    for (uint64_t i = run.begin + step / 2; ranges > 1 && i < run.end; i += step) {
      sample.push_back(counter.record(i).words.back());
    }
  }
  std::sort(sample.begin(), sample.end());
  std::vector<NgramWord> starts = {0};
  for (uint64_t i = 1; i < ranges; ++i) {
    const NgramWord word = sample[sample.size() * i / ranges];
    if (word > starts.back()) starts.push_back(word);
  }
  return starts;
}

template <int kOrder>
std::vector<detail::SortedRun<CountedNgram<kOrder>>> runs_of_range(
    const NgramCounter<kOrder>& counter, NgramWord begin, NgramWord end, size_t memory) {
  constexpr size_t kMostBuffer = size_t{1} << 20, kLeastBuffer = size_t{4} << 10;
  const size_t bytes = std::clamp(memory / counter.runs().size(), kLeastBuffer, kMostBuffer);
  std::vector<detail::SortedRun<CountedNgram<kOrder>>> runs;
  for (const auto& run : counter.runs()) {
    const uint64_t from = counter.lower_bound(run, begin), to = counter.lower_bound(run, end);
    if (from < to) {
      runs.push_back(
          counter.read({from, to}, std::max<size_t>(1, bytes / sizeof(CountedNgram<kOrder>))));
    }
  }
  return runs;
}

// Calls take(words, count) for each n-gram of the runs.
template <int kOrder, class Take>
void merge_counts(std::vector<detail::SortedRun<CountedNgram<kOrder>>> runs,
                  const std::function<void(uint64_t)>& advance, Take&& take) {
  constexpr uint64_t kStep = 1 << 16;
  if (runs.empty()) return;
  detail::Tournament<CountedNgram<kOrder>> tournament(runs);
  uint64_t records = 0;
  auto words = tournament.winner().head().words;
  uint64_t count = 0;
  for (; !tournament.winner().empty(); tournament.replay()) {
    const CountedNgram<kOrder>& head = tournament.winner().head();
    if (head.words != words) {
      take(words, count);
      words = head.words;
      count = 0;
    }
    count += head.count;
    tournament.winner().pop();
    if (++records % kStep == 0) {
      check_interrupted();
      advance(kStep);
    }
  }
  take(words, count);
  advance(records % kStep);
}

void join_ranges(NgramLevels& levels, int k, size_t range, const OrderStatistics& statistics,
                 const std::vector<LevelMark>& marks) {
  NgramLevel& level = levels.levels[static_cast<size_t>(k) - 1];
  const uint64_t base = level.bases.back();
  const uint64_t parents = k == 1 ? 0 : levels.level(k - 1).bases[range];
  for (const LevelMark& mark : marks) {
    level.marks.push_back({parents + mark.parent, base + mark.node});
  }
  level.bases.push_back(base + level.ranges[range].size);
  for (size_t i = 0; i < 5; ++i) level.statistics.with_count[i] += statistics.with_count[i];
  level.statistics.ngrams += statistics.ngrams;
  level.statistics.kept += statistics.kept;
}

}  // namespace

LevelReader::LevelReader(const NgramLevels& levels, int k, uint64_t begin)
    : levels_(&levels),
      level_(&levels.level(k)),
      range_(static_cast<size_t>(
          std::upper_bound(level_->bases.begin(), level_->bases.end() - 1, begin) -
          level_->bases.begin() - 1)),
      reader_(*levels.file, level_->ranges[range_], begin - level_->bases[range_]) {}

bool LevelReader::empty() {
  while (reader_.empty() && range_ + 1 < level_->ranges.size()) {
    reader_ = SpillReader<LevelNode>(*levels_->file, level_->ranges[++range_]);
  }
  return reader_.empty();
}

template <int kOrder>
NgramLevels build_levels(const NgramCounter<kOrder>& counter, const PruneRule& rule,
                         const LevelPlace& place) {
  const auto threads = static_cast<size_t>(place.pool->size());
  const std::vector<NgramWord> starts = range_starts(counter, threads);
  const size_t ranges = starts.size();
  NgramLevels levels{std::make_unique<SpillFile>(place.folder, kLevelExtent),
                     std::vector<NgramLevel>(kOrder)};
  for (NgramLevel& level : levels.levels) {
    level.ranges.resize(ranges);
    level.bases = {0};
  }
  std::vector<std::unique_ptr<RangeBuilder<kOrder>>> builders(ranges);
  std::mutex mutex;
  uint64_t done = 0, total = 0;
  for (const auto& run : counter.runs()) total += run.end - run.begin;
  const auto advance = [&](uint64_t records) {
    const std::lock_guard lock(mutex);
    place.progress(done += records, total);
  };
  place.pool->parallel_for(static_cast<int64_t>(ranges), 1, [&](int64_t begin, int64_t, int) {
    const auto r = static_cast<size_t>(begin);
    builders[r] = std::make_unique<RangeBuilder<kOrder>>(levels, r, rule);
    RangeBuilder<kOrder>& builder = *builders[r];
    if (r == 0) builder.add_words_without_text();
    const NgramWord end = r + 1 < ranges ? starts[r + 1] : UINT32_MAX;
    merge_counts<kOrder>(runs_of_range(counter, starts[r], end, place.memory / threads), advance,
                         [&](const auto& words, uint64_t count) { builder.take(words, count); });
    // lmplz counts the very last n-grams of the lower orders by their occurrences.
    builder.end(r + 1 == ranges);
  });
  for (size_t r = 0; r < ranges; ++r) {
    for (int k = 1; k <= kOrder; ++k) {
      join_ranges(levels, k, r, builders[r]->statistics(k), builders[r]->marks(k));
    }
  }
  return levels;
}

template NgramLevels build_levels(const NgramCounter<1>&, const PruneRule&, const LevelPlace&);
template NgramLevels build_levels(const NgramCounter<2>&, const PruneRule&, const LevelPlace&);
template NgramLevels build_levels(const NgramCounter<3>&, const PruneRule&, const LevelPlace&);
template NgramLevels build_levels(const NgramCounter<4>&, const PruneRule&, const LevelPlace&);
template NgramLevels build_levels(const NgramCounter<5>&, const PruneRule&, const LevelPlace&);
template NgramLevels build_levels(const NgramCounter<6>&, const PruneRule&, const LevelPlace&);
template NgramLevels build_levels(const NgramCounter<7>&, const PruneRule&, const LevelPlace&);
template NgramLevels build_levels(const NgramCounter<8>&, const PruneRule&, const LevelPlace&);
template NgramLevels build_levels(const NgramCounter<9>&, const PruneRule&, const LevelPlace&);
template NgramLevels build_levels(const NgramCounter<10>&, const PruneRule&, const LevelPlace&);

}  // namespace llmtool
