#include "lib/corpus/ngram/train_contexts.h"

#include <cmath>
#include <numeric>

#include "lib/base/error.h"
#include "lib/base/interrupt.h"

namespace llmtool {
namespace {

constexpr size_t kArrayBuffer = size_t{1} << 14;  // items

// The contexts of a part: words[starts[g]], ... are the first words of the children of g.
struct Contexts {
  std::vector<uint32_t> starts;
  std::vector<NgramWord> words;

  // The child of g with this word, which is at `from` or behind it.
  uint32_t find(uint32_t from, uint32_t end, NgramWord word) const {
    uint32_t step = 1, low = from;
    while (low + step < end && words[low + step] <= word) {
      low += step;
      step *= 2;
    }
    uint32_t high = std::min(end, low + step);
    while (low + 1 < high) {
      const uint32_t middle = low + (high - low) / 2;
      if (words[middle] <= word)
        low = middle;
      else
        high = middle;
    }
    LLMTOOL_ASSERT(words[low] == word);
    return low;
  }
};

Contexts load_contexts(const NgramLevels& levels, int m, const ContextPart& part) {
  Contexts contexts;
  contexts.words.reserve(part.end - part.begin);
  LevelReader nodes(levels, m - 1, part.begin);
  if (m == 2) {
    contexts.starts = {0, static_cast<uint32_t>(part.end)};
    while (!nodes.empty()) contexts.words.push_back(nodes.next().word());
    return contexts;
  }
  LevelReader grands(levels, m - 2, part.grand_begin);
  contexts.starts.reserve(part.grand_end - part.grand_begin + 1);
  for (uint64_t g = part.grand_begin; g < part.grand_end; ++g) {
    contexts.starts.push_back(static_cast<uint32_t>(contexts.words.size()));
    if (!grands.next().has_children()) continue;
    do {
      contexts.words.push_back(nodes.next().word());
    } while (!nodes.empty() && !nodes.head().first());
  }
  contexts.starts.push_back(static_cast<uint32_t>(contexts.words.size()));
  LLMTOOL_ASSERT(contexts.words.size() == part.end - part.begin);
  return contexts;
}

// Finds the context of each node of the parcel and adds the node to its sum.
void sum_parcel(SpillFile& file, Parcel& parcel, const Contexts& contexts,
                std::vector<ContextSum>& sums) {
  SpillReader<uint32_t> grands(file, parcel.grands);
  SpillReader<LevelNode> nodes(file, parcel.nodes);
  SpillWriter<uint32_t> found(file, parcel.contexts);
  while (!grands.empty()) {
    const uint32_t grand = grands.next(), end = contexts.starts[grand + 1];
    uint32_t at = contexts.starts[grand];
    do {
      const LevelNode node = nodes.next();
      at = contexts.find(at, end, node.word());
      sums[at].add(node);
      found.push(at);
    } while (!nodes.empty() && !nodes.head().first());
  }
  found.finish();
}

struct ContextFactor {
  float total, weight;
};

void answer_parcel(SpillFile& file, Parcel& parcel, const std::vector<ContextFactor>& factors,
                   const Discounts& discounts) {
  SpillReader<LevelNode> nodes(file, parcel.nodes);
  SpillReader<uint32_t> contexts(file, parcel.contexts);
  SpillWriter<ContextAnswer> answers(file, parcel.answers);
  while (!nodes.empty()) {
    const uint32_t context = contexts.next();
    const ContextFactor& factor = factors[context];
    answers.push({discounts.apply(nodes.next().count()) / factor.total, factor.weight, context});
  }
  answers.finish();
}

}  // namespace

void ContextSum::add(const LevelNode& node) {
  const uint64_t count = node.count();
  total += count;
  if (node.marked()) {
    lost += count;
  } else if (count > 0) {
    ++(count == 1 ? ones : count == 2 ? twos : more);
  }
}

float ContextSum::weight(const Discounts& discounts) const {
  float weight = 0;
  weight += discounts.amount[0] * static_cast<float>(ones);
  weight += discounts.amount[1] * static_cast<float>(twos);
  weight += discounts.amount[2] * static_cast<float>(more);
  weight += static_cast<float>(lost);
  return weight / static_cast<float>(total);
}

void answer_part(const NgramLevels& levels, int m, Exchange& exchange, size_t part,
                 const Discounts& discounts, PositionedFile& backoffs) {
  const ContextPart& place = exchange.parts[part];
  std::vector<ContextFactor> factors(place.end - place.begin);
  {
    const Contexts contexts = load_contexts(levels, m, place);
    std::vector<ContextSum> sums(factors.size());
    for (auto& parcels : exchange.parcels) {
      check_interrupted();
      sum_parcel(exchange.file, parcels[part], contexts, sums);
    }
    ArrayWriter<float> writer(backoffs, place.begin, kArrayBuffer);
    for (size_t i = 0; i < sums.size(); ++i) {
      const bool used = sums[i].total > 0;
      factors[i] = {static_cast<float>(sums[i].total), used ? sums[i].weight(discounts) : 1.0f};
      writer.push(std::log10(factors[i].weight));
    }
    writer.finish();
  }
  for (auto& parcels : exchange.parcels) {
    check_interrupted();
    answer_parcel(exchange.file, parcels[part], factors, discounts);
  }
}

}  // namespace llmtool
