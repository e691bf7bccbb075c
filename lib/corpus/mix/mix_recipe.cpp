#include "lib/corpus/mix/mix_recipe.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "lib/base/error.h"
#include "lib/base/formatted.h"
#include "lib/base/suggest.h"
#include "lib/base/toml.h"

namespace llmtool {
namespace {

// What the shares, and shares with epochs, may miss the whole by.
constexpr double kShareSlack = 0.005;
// Shares that leave less than this leave nothing: ten times 0.1 is not quite 1.
constexpr double kLeastRest = 1e-9;

void expect(const TomlValue& value, bool ok, std::string_view what) {
  check(ok, Fault::kUsage, value.where, ": '", value.key.back(), "' expects ", what);
}

double number_of(const TomlValue& value) {
  const bool is_number =
      value.kind == TomlValue::Kind::kNumber || value.kind == TomlValue::Kind::kInteger;
  expect(value, is_number && !value.is_list, "a number");
  const std::string& text = value.values[0];
  double number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

double positive(const TomlValue& value) {
  const double number = number_of(value);
  expect(value, std::isfinite(number) && number > 0, "a number above 0");
  return number;
}

uint64_t whole(const TomlValue& value) {
  constexpr std::string_view kExpected = "a whole number, such as 80_000_000";
  expect(value, value.kind != TomlValue::Kind::kText, kExpected);
  const double number = number_of(value);
  expect(value, number >= 0 && number < 0x1p63 && number == std::floor(number), kExpected);
  if (value.kind == TomlValue::Kind::kNumber) return static_cast<uint64_t>(number);
  uint64_t exact = 0;  // a double has 53 bits, a seed may have more
  const std::string& text = value.values[0];
  std::from_chars(text.data(), text.data() + text.size(), exact);
  return exact;
}

std::string text_of(const TomlValue& value) {
  const bool ok =
      value.kind == TomlValue::Kind::kText && !value.is_list && !value.values[0].empty();
  expect(value, ok, "a text");
  return value.values[0];
}

void set_source(MixSource& source, const TomlValue& value) {
  const std::string& key = value.key.back();
  if (source.where.empty()) source.where = value.where;
  if (key == "name") {
    source.name = text_of(value);
  } else if (key == "inputs") {
    const bool ok = value.kind == TomlValue::Kind::kText && !value.values.empty();
    expect(value, ok, "names of files, in quotes");
    source.inputs = value.values;
  } else if (key == "share") {
    source.share = positive(value);
    expect(value, *source.share <= 1, "a share of the whole: at most 1");
  } else if (key == "weight") {
    source.weight = positive(value);
  } else if (key == "epochs") {
    source.epochs = positive(value);
  } else if (key == "by") {
    source.by = text_of(value);
  } else if (key == "temperature") {
    source.temperature = positive(value);
  } else {
    fail(Fault::kUsage, concat(value.where, ": a [[source]] has no '", key, "'"),
         suggestion(key, {"name", "inputs", "share", "weight", "epochs", "by", "temperature"},
                    "it has name, inputs, share or weight or epochs, by, temperature"));
  }
}

void set_top(MixRecipe& recipe, const TomlValue& value) {
  const std::string& key = value.key[0];
  if (value.key.size() == 1 && (key == "tokens" || key == "bytes")) {
    check(recipe.budget == 0, Fault::kUsage, value.where, ": tokens or bytes, not both");
    recipe.unit = key == "tokens" ? MixUnit::kTokens : MixUnit::kBytes;
    recipe.budget = whole(value);
    expect(value, recipe.budget > 0, "a whole number above 0");
  } else if (value.key.size() == 1 && key == "seed") {
    recipe.seed = whole(value);
  } else if (key == "source") {
    fail(Fault::kUsage, concat(value.where, ": 'source' is no list of tables"),
         "a source begins with [[source]], in two brackets");
  } else {
    fail(Fault::kUsage, concat(value.where, ": there is no '", key, "' here"),
         suggestion(key, {"tokens", "bytes", "seed", "source"},
                    "there is tokens or bytes, seed, and [[source]] tables"));
  }
}

void check_source(const MixSource& source) {
  const auto need = [&](bool ok, std::string_view what) {
    check(ok, Fault::kUsage, source.where, ": ", what);
  };
  need(!source.name.empty(), "a [[source]] needs a name");
  need(!source.inputs.empty(), "a [[source]] needs inputs");
  const int amounts =
      source.share.has_value() + source.weight.has_value() + source.epochs.has_value();
  need(amounts == 1, "a [[source]] needs one of share, weight and epochs");
  need(!source.by.empty() || source.temperature == 1, "temperature needs `by`");
}

// Of what the budget follows from, or contradicts.
struct Amounts {
  double share = 0, weight = 0, fixed = 0;  // sums; fixed: units of the sources with epochs
};

Amounts sum(const MixRecipe& recipe, std::span<const uint64_t> sizes) {
  Amounts sums;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const MixSource& source = recipe.sources[i];
    check(sizes[i] > 0, Fault::kInput, source.where, ": the source '", source.name,
          "' has no text");
    sums.share += source.share.value_or(0);
    sums.weight += source.weight.value_or(0);
    sums.fixed += source.epochs.value_or(0) * static_cast<double>(sizes[i]);
  }
  return sums;
}

// The largest budget that repeats none of the sources whose amount depends on it.
double budget_without_repeats(const MixRecipe& recipe, const Amounts& sums,
                              std::span<const uint64_t> sizes) {
  if (sums.weight == 0 && sums.fixed > 0) return sums.fixed / (1 - sums.share);
  double budget = INFINITY;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const MixSource& source = recipe.sources[i];
    const auto size = static_cast<double>(sizes[i]);
    if (source.share) budget = std::min(budget, size / *source.share);
    if (source.weight) {
      budget =
          std::min(budget, (size * sums.weight / *source.weight + sums.fixed) / (1 - sums.share));
    }
  }
  return budget;
}

void check_whole(const Amounts& sums, double budget) {
  const double rest = 1 - sums.share - sums.fixed / budget;
  if (sums.weight > 0 && rest > kLeastRest) return;
  if (sums.weight == 0 && std::abs(rest) <= kShareSlack) return;
  fail(Fault::kUsage,
       concat(formatted("the shares are %.4g of the whole", sums.share),
              sums.fixed > 0 ? formatted(", the epochs %.4g", sums.fixed / budget) : "",
              sums.weight > 0 ? ": nothing is left for the weights" : ": together not 1"),
       "change them or the budget, or give weights, which share what is left");
}

}  // namespace

MixRecipe read_mix_recipe(const fs::path& path) {
  MixRecipe recipe;
  std::map<size_t, MixSource> sources;
  for (const TomlValue& value : read_toml(path)) {
    const bool is_source = value.key.size() == 3 && value.key[0] == "source" &&
                           value.key[1].find_first_not_of("0123456789") == std::string::npos &&
                           value.key[1].size() < 6;
    if (is_source) {
      set_source(sources[std::stoul(value.key[1])], value);
    } else {
      set_top(recipe, value);
    }
  }
  for (auto& [number, source] : sources) {
    check(number == recipe.sources.size(), Fault::kUsage, "'", path.string(),
          "': nothing stands below the [[source]] before '", source.name, "'");
    check_source(source);
    for (const MixSource& other : recipe.sources) {
      check(other.name != source.name, Fault::kUsage, source.where, ": a second source '",
            source.name, "', the first is at ", other.where);
    }
    recipe.sources.push_back(std::move(source));
  }
  check(!recipe.sources.empty(), Fault::kUsage, "'", path.string(), "' has no [[source]]");
  return recipe;
}

std::vector<double> mix_amounts(const MixRecipe& recipe, std::span<const uint64_t> sizes) {
  LLMTOOL_ASSERT(sizes.size() == recipe.sources.size());
  const Amounts sums = sum(recipe, sizes);
  const bool epochs_only = sums.weight == 0 && sums.share == 0;
  double budget = static_cast<double>(recipe.budget);
  if (epochs_only) {
    check(recipe.budget == 0, Fault::kUsage,
          "every source has its epochs, from which the budget follows: give no other");
    budget = sums.fixed;
  } else {
    check(
        sums.share < 1 + kShareSlack &&
            (sums.share < 1 - kLeastRest || sums.weight + sums.fixed == 0),
        Fault::kUsage, "the shares are ", sums.share, " of the whole",
        sums.share < 1 + kShareSlack ? ": nothing is left for the other sources" : ", expected 1");
    if (recipe.budget == 0) budget = budget_without_repeats(recipe, sums, sizes);
    check_whole(sums, budget);
  }
  std::vector<double> amounts;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const MixSource& source = recipe.sources[i];
    double amount = source.epochs.value_or(0) * static_cast<double>(sizes[i]);
    if (source.share) amount = *source.share * budget;
    if (source.weight) {
      amount = *source.weight / sums.weight * (budget * (1 - sums.share) - sums.fixed);
    }
    amounts.push_back(amount);
  }
  return amounts;
}

std::vector<double> temperature_shares(std::span<const uint64_t> sizes, double temperature) {
  if (sizes.empty()) return {};
  const auto largest = static_cast<double>(std::ranges::max(sizes));
  std::vector<double> shares;
  double sum = 0;
  for (const uint64_t size : sizes) {
    // Of the largest: a power of it is 1 at any temperature.
    shares.push_back(std::pow(static_cast<double>(size) / largest, 1 / temperature));
    sum += shares.back();
  }
  for (double& share : shares) share /= sum;
  return shares;
}

}  // namespace llmtool
