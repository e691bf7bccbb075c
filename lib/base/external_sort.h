// Sorts a file of fixed-size records in bounded memory: runs as large as the memory allows are
// sorted on all threads, laid down in a temporary file without a name, and merged.
//
// Record is trivially copyable, and its operator< is a total order that tells any two records apart
// that differ in a byte: so the result is a function of the records alone. It is faster with a
// member uint64_t sort_prefix() const that never falls from one record to a greater one, and for
// uint64_t itself. A full disk is an error.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "lib/base/error.h"
#include "lib/base/positioned_file.h"
#include "lib/base/threads.h"

namespace llmtool {

struct SortPlace {
  fs::path folder;                    // for temporary files of the size of the input
  size_t memory = size_t{256} << 20;  // bytes for records, all threads together
  ThreadPool* pool = nullptr;         // never null
};

namespace detail {

// Sorted records of a file, or in memory, read through a buffer.
template <class Record>
class SortedRun {
 public:
  explicit SortedRun(std::span<const Record> records)
      : at_(records.data()), end_(records.data() + records.size()) {}
  // Records [begin, end) of the file.
  SortedRun(const PositionedFile& file, uint64_t begin, uint64_t end, size_t buffer_records)
      : file_(&file), next_(begin), last_(end) {
    buffer_.resize(std::min<uint64_t>(buffer_records, end - begin));
    refill();
  }

  bool empty() const { return at_ == end_; }
  const Record& head() const { return *at_; }
  void pop() {
    if (++at_ == end_ && next_ < last_) refill();
  }

 private:
  void refill() {
    const size_t count = std::min<uint64_t>(buffer_.size(), last_ - next_);
    file_->read(next_ * sizeof(Record), buffer_.data(), count * sizeof(Record));
    next_ += count;
    at_ = buffer_.data();
    end_ = at_ + count;
  }

  const PositionedFile* file_ = nullptr;
  uint64_t next_ = 0, last_ = 0;
  std::vector<Record> buffer_;
  const Record* at_ = nullptr;
  const Record* end_ = nullptr;
};

// A tournament of runs: each inner node holds the loser of its match (Knuth, volume 3, 5.4.1).
template <class Record>
class Tournament {
 public:
  explicit Tournament(std::vector<SortedRun<Record>>& runs) : runs_(runs), losers_(runs.size()) {
    winner_ = play(1);
  }

  SortedRun<Record>& winner() { return runs_[winner_]; }
  // After the winner's head was taken.
  void replay() {
    for (size_t node = (winner_ + runs_.size()) / 2; node > 0; node /= 2) {
      if (before(losers_[node], winner_)) std::swap(losers_[node], winner_);
    }
  }

 private:
  size_t play(size_t node) {
    if (node >= runs_.size()) return node - runs_.size();
    const size_t left = play(2 * node), right = play(2 * node + 1);
    const bool right_wins = before(right, left);
    losers_[node] = right_wins ? left : right;
    return right_wins ? right : left;
  }
  bool before(size_t a, size_t b) const {
    if (runs_[a].empty()) return false;
    return runs_[b].empty() || runs_[a].head() < runs_[b].head();
  }

  std::vector<SortedRun<Record>>& runs_;
  std::vector<size_t> losers_;
  size_t winner_ = 0;
};

inline constexpr size_t kMergeBytes = size_t{64} << 10;  // what sink gets at a time

template <class Record, class Sink>
void merge_runs(std::vector<SortedRun<Record>>& runs, Sink&& sink) {
  if (runs.empty()) return;
  std::vector<Record> out;
  const size_t most = std::max<size_t>(1, kMergeBytes / sizeof(Record));
  out.reserve(most);
  for (Tournament<Record> tournament(runs); !tournament.winner().empty(); tournament.replay()) {
    out.push_back(tournament.winner().head());
    tournament.winner().pop();
    if (out.size() == most) {
      sink(std::span<const Record>(out));
      out.clear();
    }
  }
  if (!out.empty()) sink(std::span<const Record>(out));
}

struct Range {
  uint64_t begin, end;
};

template <class Record>
std::vector<SortedRun<Record>> open_runs(const PositionedFile& file, std::span<const Range> ranges,
                                         size_t memory) {
  const size_t bytes = std::min(memory / (ranges.size() + 1), size_t{8} << 20);
  std::vector<SortedRun<Record>> runs;
  runs.reserve(ranges.size());
  for (const Range& r : ranges) {
    runs.emplace_back(file, r.begin, r.end, std::max<size_t>(1, bytes / sizeof(Record)));
  }
  return runs;
}

// Merges until at most `most` runs are left.
template <class Record>
void merge_to_fewer(PositionedFile& file, std::vector<Range>& ranges, size_t most,
                    const SortPlace& place) {
  while (ranges.size() > most) {
    PositionedFile merged = PositionedFile::temporary(place.folder);
    std::vector<Range> fewer;
    for (size_t i = 0; i < ranges.size(); i += most) {
      const std::span<const Range> group(&ranges[i], std::min(most, ranges.size() - i));
      uint64_t at = group.front().begin;
      auto runs = open_runs<Record>(file, group, place.memory);
      merge_runs(runs, [&](std::span<const Record> records) {
        merged.write(at * sizeof(Record), records.data(), records.size_bytes());
        at += records.size();
      });
      fewer.push_back({group.front().begin, group.back().end});
    }
    file = std::move(merged);
    ranges = std::move(fewer);
  }
}

template <class Record>
concept HasSortPrefix = std::same_as<Record, uint64_t> || requires(const Record& r) {
  { r.sort_prefix() } -> std::same_as<uint64_t>;
};

template <HasSortPrefix Record>
uint64_t sort_prefix_of(const Record& record) {
  if constexpr (std::same_as<Record, uint64_t>)
    return record;
  else
    return record.sort_prefix();
}

inline constexpr size_t kSmallSort = 4096;  // records that std::sort has in the cache

// Records are put into buckets by the leading bits of their prefixes where they lie (McIlroy,
// Bostic, McIlroy 1993, "Engineering radix sort"), and the buckets are sorted.
template <HasSortPrefix Record>
void sort_by_prefix(Record* begin, Record* end) {
  constexpr int kBucketBits = 10;
  const auto count = static_cast<size_t>(end - begin);
  if (count <= kSmallSort) return std::sort(begin, end);
  uint64_t low = ~uint64_t{0}, high = 0;
  for (const Record* r = begin; r != end; ++r) {
    low = std::min(low, sort_prefix_of(*r));
    high = std::max(high, sort_prefix_of(*r));
  }
  if (low == high) return std::sort(begin, end);
  const int shift = std::max(0, static_cast<int>(std::bit_width(high - low)) - kBucketBits);
  const auto bucket = [&](const Record& r) {
    return static_cast<size_t>((sort_prefix_of(r) - low) >> shift);
  };
  std::array<size_t, (1 << kBucketBits) + 1> start{};
  for (const Record* r = begin; r != end; ++r) ++start[bucket(*r) + 1];
  for (size_t b = 1; b < start.size(); ++b) start[b] += start[b - 1];
  std::array<size_t, 1 << kBucketBits> next;
  std::copy(start.begin(), start.end() - 1, next.begin());
  for (size_t b = 0; b < next.size(); ++b) {
    while (next[b] < start[b + 1]) {
      Record& r = begin[next[b]];
      const size_t to = bucket(r);
      if (to == b)
        ++next[b];
      else
        std::swap(r, begin[next[to]++]);
    }
  }
  for (size_t b = 0; b < next.size(); ++b) sort_by_prefix(begin + start[b], begin + start[b + 1]);
}

template <class Record>
void sort_records(Record* begin, Record* end) {
  if constexpr (HasSortPrefix<Record>)
    sort_by_prefix(begin, end);
  else
    std::sort(begin, end);
}

// The whole input in memory: a sorted piece for each thread.
template <class Record, class Sink>
void sort_in_memory(const PositionedFile& input, uint64_t count, ThreadPool& pool, Sink& sink) {
  const auto records = std::make_unique_for_overwrite<Record[]>(count);
  const auto pieces = std::clamp<uint64_t>(count / 4096, 1, static_cast<uint64_t>(pool.size()));
  const auto bound = [&](uint64_t piece) { return count * piece / pieces; };
  pool.parallel_for(static_cast<int64_t>(pieces), 1, [&](int64_t piece, int64_t, int) {
    const uint64_t begin = bound(static_cast<uint64_t>(piece));
    const uint64_t end = bound(static_cast<uint64_t>(piece) + 1);
    input.read(begin * sizeof(Record), &records[begin], (end - begin) * sizeof(Record));
    sort_records(&records[begin], &records[0] + end);
  });
  std::vector<SortedRun<Record>> runs;
  for (uint64_t piece = 0; piece < pieces; ++piece) {
    runs.emplace_back(
        std::span<const Record>(&records[bound(piece)], bound(piece + 1) - bound(piece)));
  }
  merge_runs(runs, sink);
}

// Sorted runs, each as large as one thread's part of the memory, at the places of their records.
template <class Record>
std::vector<Range> write_runs(const PositionedFile& input, uint64_t count, PositionedFile& out,
                              const SortPlace& place) {
  const size_t threads = static_cast<size_t>(place.pool->size());
  const size_t most = std::max<size_t>(1, place.memory / threads / sizeof(Record));
  std::vector<Range> ranges;
  for (uint64_t begin = 0; begin < count; begin += most) {
    ranges.push_back({begin, std::min<uint64_t>(count, begin + most)});
  }
  std::vector<std::unique_ptr<Record[]>> buffers(threads);
  place.pool->parallel_for(static_cast<int64_t>(ranges.size()), 1,
                           [&](int64_t i, int64_t, int thread) {
                             auto& buffer = buffers[static_cast<size_t>(thread)];
                             if (buffer == nullptr)
                               buffer = std::make_unique_for_overwrite<Record[]>(most);
                             const auto [begin, end] = ranges[static_cast<size_t>(i)];
                             const size_t bytes = (end - begin) * sizeof(Record);
                             input.read(begin * sizeof(Record), buffer.get(), bytes);
                             sort_records(buffer.get(), buffer.get() + (end - begin));
                             out.write(begin * sizeof(Record), buffer.get(), bytes);
                           });
  return ranges;
}

}  // namespace detail

// Calls sink(std::span<const Record>) in the calling thread, piece by piece, with the records of
// the file in order. A file that is no whole number of records is Fault::kInput.
template <class Record, class Sink>
void external_sort(const PositionedFile& file, const SortPlace& place, Sink&& sink) {
  static_assert(std::is_trivially_copyable_v<Record>);
  const uint64_t bytes = file.size();
  check(bytes % sizeof(Record) == 0, Fault::kInput, file.path().string(), ": ", bytes,
        " bytes, expected a whole number of records of ", sizeof(Record));
  const uint64_t count = bytes / sizeof(Record);
  if (bytes <= place.memory) {
    detail::sort_in_memory<Record>(file, count, *place.pool, sink);
    return;
  }
  PositionedFile sorted = PositionedFile::temporary(place.folder);
  std::vector<detail::Range> ranges = detail::write_runs<Record>(file, count, sorted, place);
  const size_t most = std::max<size_t>(2, place.memory / detail::kMergeBytes);
  detail::merge_to_fewer<Record>(sorted, ranges, most, place);
  auto runs = detail::open_runs<Record>(sorted, ranges, place.memory);
  detail::merge_runs(runs, sink);
}

template <class Record, class Sink>
void external_sort(const fs::path& input, const SortPlace& place, Sink&& sink) {
  external_sort<Record>(PositionedFile::open(input), place, sink);
}

// The same into a file, which appears when it is whole.
template <class Record>
void external_sort(const fs::path& input, const fs::path& output, const SortPlace& place) {
  AtomicFile out(output);
  external_sort<Record>(input, place, [&](std::span<const Record> records) {
    out.write(records.data(), records.size_bytes());
  });
  out.commit();
}

// Merges files of sorted records; sink as above. They all stay open.
template <class Record, class Sink>
void merge_sorted_files(std::span<const fs::path> inputs, size_t memory, Sink&& sink) {
  std::vector<PositionedFile> files;
  for (const fs::path& input : inputs) files.push_back(PositionedFile::open(input));
  const size_t bytes = std::min(memory / (files.size() + 1), size_t{8} << 20);
  std::vector<detail::SortedRun<Record>> runs;
  for (const PositionedFile& file : files) {
    const uint64_t count = file.size() / sizeof(Record);
    if (count > 0) {
      runs.emplace_back(file, 0, count, std::max<size_t>(1, bytes / sizeof(Record)));
    }
  }
  detail::merge_runs(runs, sink);
}

}  // namespace llmtool
