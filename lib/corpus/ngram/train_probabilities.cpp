#include "lib/corpus/ngram/train_probabilities.h"

#include <cmath>
#include <mutex>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/interrupt.h"
#include "lib/corpus/ngram/train_contexts.h"

namespace llmtool {
namespace {

constexpr size_t kArrayBuffer = size_t{1} << 14;  // items
constexpr uint64_t kProgressStep = uint64_t{1} << 16;

void estimate_unigrams(const NgramLevels& levels, const Discounts& discounts,
                       PositionedFile& probabilities) {
  ContextSum sum;
  for (LevelReader nodes(levels, 1, 0); !nodes.empty();) sum.add(nodes.next());
  const float weight = sum.weight(discounts), total = static_cast<float>(sum.total);
  const uint64_t words = levels.level(1).statistics.kept - 1;  // without <s>
  const float uniform = static_cast<float>(1.0 / static_cast<float>(words));
  ArrayWriter<float> writer(probabilities, 0, kArrayBuffer);
  for (LevelReader nodes(levels, 1, 0); !nodes.empty();) {
    const LevelNode node = nodes.next();
    if (node.word() == kSentenceStart) {
      writer.push(1.0f);
    } else {
      const float own = node.word() == kUnknownWord ? 0 : discounts.apply(node.count()) / total;
      writer.push(own + weight * uniform);
    }
  }
  writer.finish();
}

// Sends the children of all unigrams of a range to the one part of their contexts.
void send_bigrams(const NgramLevels& levels, size_t range, Exchange& exchange) {
  SpillReader<LevelNode> nodes(*levels.file, levels.level(1).ranges[range]);
  SpillReader<LevelNode> children(*levels.file, levels.level(2).ranges[range]);
  ExchangeSender sender(exchange, range);
  while (!nodes.empty()) {
    if (nodes.next().has_children()) sender.send(0, children);
  }
  sender.finish();
}

// Takes the answers for the nodes of one range of level m, which makes their probabilities, and
// sends the children of these nodes on to `next`, if there is a level of them.
class AnswerCollector {
 public:
  AnswerCollector(const NgramLevels& levels, int m, size_t range, Exchange& exchange,
                  Exchange* next)
      : levels_(levels),
        m_(m),
        range_(range),
        exchange_(exchange),
        parents_(*levels.file, levels.level(m - 1).ranges[range]),
        nodes_(*levels.file, levels.level(m).ranges[range]),
        routes_(exchange.file, exchange.routes[range]) {
    for (const Parcel& parcel : exchange.parcels[range]) {
      answers_.emplace_back(exchange.file, parcel.answers);
    }
    if (next == nullptr) return;
    sender_ = std::make_unique<ExchangeSender>(*next, range);
    children_ =
        std::make_unique<SpillReader<LevelNode>>(*levels.file, levels.level(m + 1).ranges[range]);
  }

  void run(LevelValues& values, const std::function<void(uint64_t)>& advance) {
    const auto k = static_cast<size_t>(m_);
    const std::vector<uint64_t>& bases = levels_.level(m_ - 1).bases;
    ArrayReader<float> shorter(values.probabilities[k - 2], bases[range_], bases[range_ + 1],
                               kArrayBuffer);
    ArrayWriter<float> out(values.probabilities[k - 1], levels_.level(m_).bases[range_],
                           kArrayBuffer);
    uint64_t done = 0;
    while (!parents_.empty()) {
      const LevelNode parent = parents_.next();
      const float probability = shorter.next();
      if (!parent.has_children()) continue;
      done += take_children(probability, out);
      if (done >= kProgressStep) advance(std::exchange(done, 0));
    }
    advance(done);
    out.finish();
    if (sender_) sender_->finish();
  }

 private:
  uint64_t take_children(float shorter, ArrayWriter<float>& out) {
    const size_t part = routes_.next();
    const uint64_t base = exchange_.parts[part].begin;
    uint64_t count = 0;
    do {
      const LevelNode node = nodes_.next();
      const ContextAnswer answer = answers_[part].next();
      out.push(answer.probability + answer.weight * shorter);
      if (sender_ && node.has_children()) sender_->send(base + answer.context, *children_);
      ++count;
    } while (!nodes_.empty() && !nodes_.head().first());
    return count;
  }

  const NgramLevels& levels_;
  int m_;
  size_t range_;
  Exchange& exchange_;
  SpillReader<LevelNode> parents_, nodes_;
  SpillReader<uint16_t> routes_;
  std::vector<SpillReader<ContextAnswer>> answers_;
  std::unique_ptr<ExchangeSender> sender_;
  std::unique_ptr<SpillReader<LevelNode>> children_;
};

template <class F>
void for_each_index(ThreadPool& pool, size_t count, F&& f) {
  pool.parallel_for(static_cast<int64_t>(count), 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) f(static_cast<size_t>(i));
  });
}

std::unique_ptr<Exchange> make_exchange(const NgramLevels& levels, int m,
                                        const EstimatePlace& place) {
  constexpr uint64_t kNodeBytes = 48;  // of Contexts, ContextSum and ContextFactor
  constexpr uint64_t kLeastNodes = 4096;
  const auto threads = static_cast<uint64_t>(place.pool->size());
  const uint64_t fitting = place.memory / 4 * 3 / threads / kNodeBytes;
  const uint64_t spread = levels.level(m - 1).size() / (4 * threads);
  const uint64_t most = std::max(kLeastNodes, std::min(fitting, spread));
  return std::make_unique<Exchange>(place.folder, place.memory / 4, place.pool->size(),
                                    levels.ranges(), context_parts(levels, m, most));
}

// The walk through a level that spells its n-grams.
class LevelWalk {
 public:
  LevelWalk(const NgramLevels& levels, int k) : words_(static_cast<size_t>(k)) {
    for (int level = 1; level <= k; ++level) readers_.emplace_back(levels, level, 0);
  }

  bool empty() { return readers_.back().empty(); }
  LevelNode next() { return step(words_.size()); }
  // Of the last node.
  const std::vector<NgramWord>& words() const { return words_; }

 private:
  LevelNode step(size_t k) {
    const LevelNode node = readers_[k - 1].next();
    if (k > 1 && node.first()) {
      while (!step(k - 1).has_children()) {
      }
    }
    words_[words_.size() - k] = node.word();
    return node;
  }

  std::vector<LevelReader> readers_;
  std::vector<NgramWord> words_;
};

// New numbers of the words that are kept.
std::vector<NgramWord> kept_numbers(const NgramLevels& levels) {
  std::vector<NgramWord> numbers;
  NgramWord next = 0;
  for (LevelReader nodes(levels, 1, 0); !nodes.empty();) {
    numbers.push_back(next);
    if (!nodes.next().marked()) ++next;
  }
  return numbers;
}

}  // namespace

LevelValues estimate_probabilities(const NgramLevels& levels,
                                   const std::vector<Discounts>& discounts,
                                   const EstimatePlace& place) {
  const int order = levels.order();
  LevelValues values;
  for (int k = 1; k <= order; ++k) {
    values.probabilities.push_back(PositionedFile::temporary(place.folder));
    if (k < order) values.backoffs.push_back(PositionedFile::temporary(place.folder));
  }
  estimate_unigrams(levels, discounts[0], values.probabilities[0]);
  if (order == 1) return values;
  ThreadPool& pool = *place.pool;
  auto exchange = make_exchange(levels, 2, place);
  for_each_index(pool, levels.ranges(),
                 [&](size_t range) { send_bigrams(levels, range, *exchange); });
  uint64_t total = 0, done = 0;
  for (int m = 2; m <= order; ++m) total += levels.level(m).size();
  std::mutex mutex;
  const auto advance = [&](uint64_t nodes) {
    check_interrupted();
    const std::lock_guard lock(mutex);
    place.progress("estimate", done += nodes, total);
  };
  for (int m = 2; m <= order; ++m) {
    const auto k = static_cast<size_t>(m);
    for_each_index(pool, exchange->parts.size(), [&](size_t part) {
      answer_part(levels, m, *exchange, part, discounts[k - 1], values.backoffs[k - 2]);
    });
    auto next = m < order ? make_exchange(levels, m + 1, place) : nullptr;
    for_each_index(pool, levels.ranges(), [&](size_t range) {
      AnswerCollector(levels, m, range, *exchange, next.get()).run(values, advance);
    });
    exchange = std::move(next);
  }
  return values;
}

void write_model(const NgramLevels& levels, const LevelValues& values,
                 const std::vector<std::string>& words, const EstimatePlace& place,
                 NgramSink& sink) {
  const int order = levels.order();
  const std::vector<NgramWord> numbers = kept_numbers(levels);
  std::vector<std::string> kept;
  for (LevelReader nodes(levels, 1, 0); !nodes.empty();) {
    const LevelNode node = nodes.next();
    if (!node.marked()) kept.push_back(words[node.word()]);
  }
  std::vector<uint64_t> counts;
  uint64_t total = 0, done = 0;
  for (const NgramLevel& level : levels.levels) {
    counts.push_back(level.statistics.kept);
    total += level.size();
  }
  sink.begin(kept, counts);
  std::vector<NgramWord> ngram;
  for (int k = 1; k <= order; ++k) {
    const uint64_t size = levels.level(k).size();
    LevelWalk walk(levels, k);
    const auto i = static_cast<size_t>(k) - 1;
    ArrayReader<float> probabilities(values.probabilities[i], 0, size, kArrayBuffer);
    const PositionedFile& backoff_file = k < order ? values.backoffs[i] : values.probabilities[i];
    ArrayReader<float> backoffs(backoff_file, 0, size, kArrayBuffer);
    while (!walk.empty()) {
      const LevelNode node = walk.next();
      const float probability = probabilities.next();
      const float backoff = k < order ? backoffs.next() : 0;
      if (++done % kProgressStep == 0) {
        check_interrupted();
        place.progress("write", done, total);
      }
      if (node.marked()) continue;
      ngram.clear();
      for (const NgramWord word : walk.words()) ngram.push_back(numbers[word]);
      sink.add({.words = ngram,
                .log10_probability = std::min(0.0f, std::log10(probability)),
                .log10_backoff = backoff});
    }
  }
  sink.end();
}

}  // namespace llmtool
