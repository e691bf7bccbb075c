#include "lib/corpus/ngram/train_discounts.h"

#include "lib/base/error.h"

namespace llmtool {
namespace {

// What is wrong, or nothing.
std::string estimate(const OrderStatistics& s, Discounts& d) {
  const auto n = [&](size_t j) { return static_cast<float>(s.with_count[j]); };
  for (size_t j = 1; j <= 3; ++j) {
    if (s.with_count[j] == 0) return concat("none has the adjusted count ", j);
  }
  const float y = n(1) / static_cast<float>(static_cast<double>(s.with_count[1]) +
                                            2.0 * static_cast<double>(s.with_count[2]));
  for (size_t j = 1; j <= 3; ++j) {
    const auto count = static_cast<float>(j);
    d.amount[j - 1] = count - static_cast<float>(j + 1) * y * n(j + 1) / n(j);
    if (!(d.amount[j - 1] >= 0.0f && d.amount[j - 1] <= count)) {
      return concat("that of the adjusted count ", j, " would be ", d.amount[j - 1],
                    ", expected 0 to ", j);
    }
  }
  return {};
}

}  // namespace

Discounts estimate_discounts(const OrderStatistics& statistics, int order,
                             const std::optional<Discounts>& fallback) {
  Discounts discounts{.estimated = true};
  const std::string problem = estimate(statistics, discounts);
  if (problem.empty()) return discounts;
  if (fallback) return *fallback;
  fail(Fault::kInput,
       concat("no Kneser-Ney discounts can be estimated for the ", statistics.ngrams,
              " n-grams of order ", order, ": ", problem),
       "the text is small, artificial or full of duplicates: remove these (llmtool dedup), or give "
       "--discount-fallback");
}

}  // namespace llmtool
