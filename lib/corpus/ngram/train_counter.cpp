#include "lib/corpus/ngram/train_counter.h"

#include <algorithm>

namespace llmtool {
namespace {

constexpr size_t kMostRunBytes = size_t{512} << 20;
constexpr size_t kLeastRunRecords = 4096;

// Adds up neighbours that are the same n-gram, as far as their counts go; returns the new end.
template <class Record>
Record* combine(Record* begin, Record* end) {
  if (begin == end) return end;
  Record* to = begin;
  for (Record* from = begin + 1; from != end; ++from) {
    const bool same = from->words == to->words && to->count <= UINT32_MAX - from->count;
    if (same)
      to->count += from->count;
    else
      *++to = *from;
  }
  return to + 1;
}

}  // namespace

template <int kOrder>
NgramCounter<kOrder>::NgramCounter(const fs::path& folder, size_t memory, int threads)
    : file_(PositionedFile::temporary(folder)), buffers_(static_cast<size_t>(threads)) {
  const size_t bytes = std::min(memory / buffers_.size(), kMostRunBytes);
  most_ = std::max(kLeastRunRecords, bytes / sizeof(Record));
}

template <int kOrder>
void NgramCounter<kOrder>::push(int thread, const Record& record) {
  std::vector<Record>& buffer = buffers_[static_cast<size_t>(thread)];
  if (buffer.capacity() == 0) buffer.reserve(most_);
  if (buffer.size() == most_) {
    write_run(buffer);
    buffer.clear();
  }
  buffer.push_back(record);
}

template <int kOrder>
void NgramCounter<kOrder>::add(int thread, std::span<const NgramWord> words) {
  Record record;
  record.words.fill(kSentenceStart);
  record.count = 1;
  const auto append = [&](NgramWord word) {
    std::copy(record.words.begin() + 1, record.words.end(), record.words.begin());
    record.words.back() = word;
    push(thread, record);
  };
  for (const NgramWord word : words) append(word);
  append(kSentenceEnd);
}

template <int kOrder>
void NgramCounter<kOrder>::write_run(std::vector<Record>& records) {
  detail::sort_records(records.data(), records.data() + records.size());
  Record* end = combine(records.data(), records.data() + records.size());
  const auto count = static_cast<uint64_t>(end - records.data());
  uint64_t begin = 0;
  {
    const std::lock_guard lock(mutex_);
    begin = end_;
    end_ += count;
    runs_.push_back({begin, end_});
  }
  file_.write(begin * sizeof(Record), records.data(), count * sizeof(Record));
}

template <int kOrder>
void NgramCounter<kOrder>::finish(ThreadPool& pool) {
  pool.parallel_for(static_cast<int64_t>(buffers_.size()), 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      std::vector<Record>& buffer = buffers_[static_cast<size_t>(i)];
      if (!buffer.empty()) write_run(buffer);
      buffer = {};
    }
  });
}

template <int kOrder>
CountedNgram<kOrder> NgramCounter<kOrder>::record(uint64_t at) const {
  Record record;
  file_.read(at * sizeof(Record), &record, sizeof(Record));
  return record;
}

template <int kOrder>
detail::SortedRun<CountedNgram<kOrder>> NgramCounter<kOrder>::read(Range range,
                                                                   size_t buffer_records) const {
  return {file_, range.begin, range.end, buffer_records};
}

template <int kOrder>
uint64_t NgramCounter<kOrder>::lower_bound(Range run, NgramWord word) const {
  uint64_t begin = run.begin, end = run.end;
  while (begin < end) {
    const uint64_t middle = begin + (end - begin) / 2;
    if (record(middle).words.back() < word)
      begin = middle + 1;
    else
      end = middle;
  }
  return begin;
}

template class NgramCounter<1>;
template class NgramCounter<2>;
template class NgramCounter<3>;
template class NgramCounter<4>;
template class NgramCounter<5>;
template class NgramCounter<6>;
template class NgramCounter<7>;
template class NgramCounter<8>;
template class NgramCounter<9>;
template class NgramCounter<10>;

}  // namespace llmtool
