#include "lib/corpus/ngram/train.h"

#include <unordered_set>

#include "lib/base/error.h"
#include "lib/base/text_stream.h"

namespace llmtool {
namespace {

std::vector<uint64_t> prune_of_orders(const NgramTraining& training) {
  std::vector<uint64_t> prune = training.prune;
  const auto order = static_cast<size_t>(training.order);
  check(prune.size() <= order, Fault::kUsage, prune.size(),
        " pruning thresholds for a model of order ", order);
  check(std::is_sorted(prune.begin(), prune.end()), Fault::kUsage,
        "pruning thresholds must not fall from an order to the next: the model would lack parts of "
        "n-grams that it has");
  prune.resize(order, prune.empty() ? 0 : prune.back());
  return prune;
}

std::vector<bool> allowed_words(const fs::path& path, const TrainVocabulary& vocabulary) {
  std::unordered_set<std::string> wanted;
  constexpr std::string_view kSpaces("\0\t\r ", 4);
  std::string_view line;
  for (LineReader reader(path); reader.next(line);) {
    for (size_t begin = 0; (begin = line.find_first_not_of(kSpaces, begin)) < line.size();) {
      const size_t end = std::min(line.find_first_of(kSpaces, begin), line.size());
      wanted.emplace(line.substr(begin, end - begin));
      begin = end;
    }
  }
  std::vector<bool> allowed(vocabulary.size());
  for (size_t i = 0; i < allowed.size(); ++i) {
    allowed[i] = wanted.contains(std::string(vocabulary.word(static_cast<NgramWord>(i))));
  }
  return allowed;
}

template <int kOrder>
NgramLevels count_levels(const NgramTraining& training, PruneRule rule, TrainVocabulary& vocabulary,
                         NgramSummary& summary) {
  const EstimatePlace& place = training.place;
  NgramCounter<kOrder> counter(place.folder, place.memory / 4 * 3, place.pool->size());
  summary.text =
      read_sentences(training.text, vocabulary, counter, *place.pool,
                     [&](uint64_t done, uint64_t total) { place.progress("count", done, total); });
  check(summary.text.sentences > 0, Fault::kInput, "the inputs have no text to train on");
  counter.finish(*place.pool);
  if (training.limit_vocabulary) {
    rule.allowed = allowed_words(*training.limit_vocabulary, vocabulary);
  }
  return build_levels(
      counter, rule,
      {place.folder, place.memory / 2, place.pool,
       [&](uint64_t done, uint64_t total) { place.progress("merge", done, total); }});
}

NgramLevels count_levels(const NgramTraining& training, PruneRule rule, TrainVocabulary& vocabulary,
                         NgramSummary& summary) {
  switch (training.order) {
    case 1:
      return count_levels<1>(training, std::move(rule), vocabulary, summary);
    case 2:
      return count_levels<2>(training, std::move(rule), vocabulary, summary);
    case 3:
      return count_levels<3>(training, std::move(rule), vocabulary, summary);
    case 4:
      return count_levels<4>(training, std::move(rule), vocabulary, summary);
    case 5:
      return count_levels<5>(training, std::move(rule), vocabulary, summary);
    case 6:
      return count_levels<6>(training, std::move(rule), vocabulary, summary);
    case 7:
      return count_levels<7>(training, std::move(rule), vocabulary, summary);
    case 8:
      return count_levels<8>(training, std::move(rule), vocabulary, summary);
    case 9:
      return count_levels<9>(training, std::move(rule), vocabulary, summary);
    case 10:
      return count_levels<10>(training, std::move(rule), vocabulary, summary);
    default:
      fail(Fault::kUsage, concat("order ", training.order, ", expected 1 to ", kMostOrder));
  }
}

}  // namespace

NgramSummary train_ngrams(const NgramTraining& training, NgramSink& sink) {
  NgramSummary summary;
  TrainVocabulary vocabulary;
  const NgramLevels levels =
      count_levels(training, {prune_of_orders(training), {}}, vocabulary, summary);
  summary.words = vocabulary.size();
  for (int k = 1; k <= training.order; ++k) {
    const OrderStatistics& statistics = levels.level(k).statistics;
    summary.statistics.push_back(statistics);
    summary.discounts.push_back(estimate_discounts(statistics, k, training.discount_fallback));
  }
  const LevelValues values = estimate_probabilities(levels, summary.discounts, training.place);
  write_model(levels, values, vocabulary.words(), training.place, sink);
  return summary;
}

}  // namespace llmtool
