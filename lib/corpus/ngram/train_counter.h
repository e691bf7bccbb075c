// Counts the n-grams of sentences: sorted runs in a temporary file, merged on demand.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "lib/base/external_sort.h"
#include "lib/base/positioned_file.h"
#include "lib/base/threads.h"
#include "lib/corpus/ngram/train_vocabulary.h"

namespace llmtool {

inline constexpr int kMostOrder = 10;

// Records are in suffix order: by the last word, then the one before it, ...
template <int kOrder>
struct CountedNgram {
  std::array<NgramWord, kOrder> words;
  uint32_t count;

  uint64_t sort_prefix() const {
    const uint64_t last = uint64_t{words[kOrder - 1]} << 32;
    if constexpr (kOrder == 1) {
      return last;
    } else {
      // cppcheck-suppress negativeContainerIndex
      return last | words[kOrder - 2];
    }
  }
  bool operator<(const CountedNgram& other) const {
    for (int i = kOrder - 1; i >= 0; --i) {
      const auto w = static_cast<size_t>(i);
      if (words[w] != other.words[w]) return words[w] < other.words[w];
    }
    return count < other.count;
  }
};

class SentenceTaker {
 public:
  virtual ~SentenceTaker() = default;
  // words: the sentence without <s> and </s>. By one caller per thread at a time.
  virtual void add(int thread, std::span<const NgramWord> words) = 0;
};

// Each word of a sentence and its </s>, behind the kOrder - 1 words before it; where the sentence
// starts that are as many <s>.
template <int kOrder>
class NgramCounter final : public SentenceTaker {
 public:
  using Record = CountedNgram<kOrder>;
  using Range = detail::Range;

  // memory: for the records of all threads.
  NgramCounter(const fs::path& folder, size_t memory, int threads);

  void add(int thread, std::span<const NgramWord> words) override;
  // Writes what is left in memory; then the counts can be read.
  void finish(ThreadPool& pool);

  const std::vector<Range>& runs() const { return runs_; }
  Record record(uint64_t at) const;
  // The records [begin, end) of the file, a part of a run.
  detail::SortedRun<Record> read(Range range, size_t buffer_records) const;
  // First record of the run whose last word is not before `word`.
  uint64_t lower_bound(Range run, NgramWord word) const;

 private:
  void push(int thread, const Record& record);
  void write_run(std::vector<Record>& records);

  PositionedFile file_;
  size_t most_;
  std::vector<std::vector<Record>> buffers_;  // of each thread
  std::mutex mutex_;
  uint64_t end_ = 0;
  std::vector<Range> runs_;
};

}  // namespace llmtool
