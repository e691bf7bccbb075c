#include "lib/corpus/mix/mix.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <doctest.h>
#include <map>
#include <set>

#include "lib/base/error.h"
#include "lib/base/rng.h"
#include "tests/scratch_folder.h"

using namespace llmtool;

namespace {

MixSource by_share(std::string name, double share) {
  MixSource source;
  source.name = std::move(name);
  source.where = "here:1";
  source.share = share;
  return source;
}

MixSource by_weight(std::string name, double weight) {
  MixSource source = by_share(std::move(name), 0);
  source.share.reset();
  source.weight = weight;
  return source;
}

MixSource by_epochs(std::string name, double epochs) {
  MixSource source = by_weight(std::move(name), 0);
  source.weight.reset();
  source.epochs = epochs;
  return source;
}

Fault fault_of(const MixRecipe& recipe, const std::vector<uint64_t>& sizes) {
  try {
    mix_amounts(recipe, sizes);
  } catch (const Error& error) {
    return error.fault();
  }
  return Fault::kFailed;
}

uint64_t bytes_of(uint64_t bytes, uint64_t) {
  return bytes;
}

// Documents of a few bytes and of thousands: the lengths of real text are as uneven.
uint64_t length_of(uint64_t source, uint64_t document) {
  const double u = Rng(5, source).uniform(document);
  return static_cast<uint64_t>(20 * std::exp(5 * u * u));
}

struct Drawn {
  uint32_t part;
  uint64_t document;
  bool operator==(const Drawn&) const = default;
};

// The mix of sources of so many documents each, with these epochs.
std::vector<Drawn> draw(const std::vector<uint64_t>& documents, const std::vector<double>& epochs,
                        uint64_t seed, size_t memory, int threads, std::vector<MixPart>* parts) {
  const ScratchFolder scratch;
  ThreadPool pool(threads);
  Mixer mixer({.seed = seed, .memory = memory, .folder = scratch.path(), .pool = &pool});
  for (uint32_t s = 0; s < documents.size(); ++s) {
    const uint32_t part = mixer.part("source " + std::to_string(s), "");
    REQUIRE(part == s);
    for (uint64_t d = 0; d < documents[s]; ++d) {
      std::string payload(length_of(s, d), 'x');
      payload.replace(0, 8, std::string_view(reinterpret_cast<const char*>(&d), 8));
      mixer.add(part, payload, payload.size(), 0);
    }
  }
  for (size_t s = 0; s < documents.size(); ++s) {
    MixPart& part = mixer.parts()[s];
    part.wanted = epochs[s] * static_cast<double>(part.bytes);
  }
  mixer.draw(bytes_of);
  std::vector<Drawn> all;
  for (Mixer::Drawn drawn; mixer.next(drawn);) {
    Drawn copy{drawn.part, 0};
    std::memcpy(&copy.document, drawn.payload.data(), 8);
    CHECK(drawn.payload.size() == length_of(copy.part, copy.document));
    all.push_back(copy);
  }
  if (parts != nullptr) *parts = mixer.parts();
  return all;
}

}  // namespace

TEST_CASE("Amounts follow LLaMA's Table 1") {
  // Touvron et al. 2023: shares and epochs at 1.4T tokens; the sizes are what follows from them.
  const std::vector<std::pair<double, double>> table = {{.67, 1.10},  {.15, 1.06},  {.045, 0.64},
                                                        {.045, 2.45}, {.045, 2.23}, {.025, 1.06},
                                                        {.02, 1.03}};
  MixRecipe recipe{
      .sources = {}, .unit = MixUnit::kTokens, .budget = 1'400'000'000'000, .seed = {}};
  std::vector<uint64_t> sizes;
  for (size_t i = 0; i < table.size(); ++i) {
    recipe.sources.push_back(by_share("s" + std::to_string(i), table[i].first));
    sizes.push_back(static_cast<uint64_t>(1.4e12 * table[i].first / table[i].second));
  }
  const auto amounts = mix_amounts(recipe, sizes);
  for (size_t i = 0; i < table.size(); ++i) {
    CHECK(amounts[i] == doctest::Approx(1.4e12 * table[i].first));
    CHECK(amounts[i] / static_cast<double>(sizes[i]) == doctest::Approx(table[i].second));
  }
  // Without a budget nothing is repeated, and one source is used up.
  recipe.budget = 0;
  const auto most = mix_amounts(recipe, sizes);
  double largest = 0;
  for (size_t i = 0; i < table.size(); ++i) {
    largest = std::max(largest, most[i] / static_cast<double>(sizes[i]));
  }
  CHECK(largest == doctest::Approx(1));
}

TEST_CASE("Weights share what shares and epochs leave") {
  MixRecipe recipe{
      .sources = {by_share("a", .5), by_epochs("b", 2), by_weight("c", 1), by_weight("d", 3)},
      .unit = MixUnit::kBytes,
      .budget = 1000,
      .seed = {}};
  const std::vector<uint64_t> sizes = {700, 50, 30, 900};
  CHECK(mix_amounts(recipe, sizes) == std::vector<double>{500, 100, 100, 300});
  // c is used up first: (B/2 - 100) / 4 = 30.
  recipe.budget = 0;
  CHECK(mix_amounts(recipe, sizes) == std::vector<double>{220, 100, 30, 90});
  // Shares beside epochs: the budget follows from what the epochs are of the whole.
  recipe.sources.resize(2);
  CHECK(mix_amounts(recipe, std::vector<uint64_t>{700, 50}) == std::vector<double>{100, 100});
}

TEST_CASE("Recipes that contradict themselves") {
  const std::vector<uint64_t> two = {100, 100};
  const auto recipe = [](std::vector<MixSource> sources, uint64_t budget) {
    return MixRecipe{.sources = std::move(sources), .unit = {}, .budget = budget, .seed = {}};
  };
  CHECK(fault_of(recipe({by_share("a", .5), by_share("b", .4)}, 100), two) == Fault::kUsage);
  CHECK(fault_of(recipe({by_share("a", .5), by_share("b", .6)}, 100), two) == Fault::kUsage);
  CHECK(fault_of(recipe({by_share("a", 1), by_weight("b", 1)}, 100), two) == Fault::kUsage);
  // Ten times 0.1 is not quite 1, and leaves nothing.
  std::vector<MixSource> tenths;
  for (int i = 0; i < 10; ++i) tenths.push_back(by_share("s" + std::to_string(i), .1));
  tenths.push_back(by_epochs("e", 1));
  CHECK(fault_of(recipe(tenths, 0), std::vector<uint64_t>(11, 100)) == Fault::kUsage);
  CHECK(fault_of(recipe({by_epochs("a", 1), by_epochs("b", 1)}, 100), two) == Fault::kUsage);
  CHECK(fault_of(recipe({by_epochs("a", 2), by_weight("b", 1)}, 150), two) == Fault::kUsage);
  CHECK(fault_of(recipe({by_weight("a", 1), by_weight("b", 1)}, 100), {100, 0}) == Fault::kInput);
  CHECK(fault_of(recipe({by_weight("a", 1), by_weight("b", 1)}, 100), two) == Fault::kFailed);
}

TEST_CASE("Seeds and budgets of a recipe are exact") {
  const ScratchFolder scratch;
  const fs::path path = scratch.path() / "mix.toml";
  const std::string source = "[[source]]\nname = 'a'\ninputs = ['a']\nweight = 1\n";
  write_file(path, "seed = 9007199254740993\nbytes = 2e6\n" + source);
  CHECK(read_mix_recipe(path).seed == 9007199254740993U);
  CHECK(read_mix_recipe(path).budget == 2'000'000);
  write_file(path, "[[source]]\n" + source);
  CHECK_THROWS_WITH_AS(read_mix_recipe(path), doctest::Contains("nothing stands below"), Error);
}

TEST_CASE("Temperature raises the small ones") {
  const std::vector<uint64_t> sizes = {1'000'000, 1'000};
  CHECK(temperature_shares(sizes, 1)[1] == doctest::Approx(1e3 / 1001e3));
  // n^(1/3): 100 beside 10.
  CHECK(temperature_shares(sizes, 3)[1] == doctest::Approx(10. / 110));
  // The largest alone, although its power is beyond a double.
  CHECK(temperature_shares(sizes, 1e-3) == std::vector<double>{1, 0});
}

TEST_CASE("Over ten seeds the shares are those asked for, to half a document") {
  const std::vector<uint64_t> documents = {3000, 700, 150};
  const std::vector<double> epochs = {0.64, 1.10, 2.45};
  std::set<std::vector<uint64_t>> orders;
  for (uint64_t seed = 0; seed < 10; ++seed) {
    std::vector<MixPart> parts;
    const auto all = draw(documents, epochs, seed, size_t{1} << 30, 1, &parts);
    double total = 0, wanted = 0;
    for (const MixPart& part : parts) {
      total += static_cast<double>(part.given_bytes);
      wanted += part.wanted;
      const double largest = 20 * std::exp(5.0);
      CHECK(std::abs(static_cast<double>(part.given_bytes) - part.wanted) <= largest / 2);
    }
    for (const MixPart& part : parts) {
      CHECK(std::abs(static_cast<double>(part.given_bytes) / total - part.wanted / wanted) < .005);
    }
    // Each document as often as the epochs say, and what is counted is what comes.
    std::map<std::pair<uint32_t, uint64_t>, int> times;
    std::vector<uint64_t> counts(documents.size()), first;
    for (const Drawn& drawn : all) {
      ++times[{drawn.part, drawn.document}];
      ++counts[drawn.part];
      if (drawn.part == 0 && first.size() < 50) first.push_back(drawn.document);
    }
    orders.insert(first);
    for (uint32_t s = 0; s < documents.size(); ++s) {
      CHECK(counts[s] == parts[s].given_documents);
      for (uint64_t d = 0; d < documents[s]; ++d) {
        const int n = times[{s, d}];
        const bool in_bounds = n >= std::floor(epochs[s]) && n <= std::ceil(epochs[s]);
        CHECK(in_bounds);
      }
    }
  }
  CHECK(orders.size() == 10);
}

TEST_CASE("The same mix in little memory and on several threads") {
  const std::vector<uint64_t> documents = {2000, 500};
  const std::vector<double> epochs = {0.9, 3.3};
  const auto expected = draw(documents, epochs, 1, size_t{1} << 30, 1, nullptr);
  REQUIRE(expected.size() > 2000);
  for (const size_t memory : {size_t{1}, size_t{20'000}, size_t{300'000}}) {
    for (const int threads : {1, 3}) {
      const bool same = draw(documents, epochs, 1, memory, threads, nullptr) == expected;
      CHECK(same);
    }
  }
}

TEST_CASE("A mix larger than the disk fails before it is written") {
  CHECK_THROWS_WITH_AS(draw({3000}, {16e6}, 1, size_t{1} << 30, 1, nullptr),
                       doctest::Contains("room for"), Error);
  CHECK_THROWS_WITH_AS(draw({3}, {1e18}, 1, size_t{1} << 30, 1, nullptr),
                       doctest::Contains("would be gone through"), Error);
}

TEST_CASE("Epochs follow one another, and each source lies evenly over the mix") {
  const auto all = draw({900, 300}, {1, 3}, 4, size_t{1} << 30, 1, nullptr);
  REQUIRE(all.size() == 1800);
  std::vector<uint64_t> seen, epoch;
  for (const Drawn& drawn : all) {
    if (drawn.part == 1) seen.push_back(drawn.document);
  }
  REQUIRE(seen.size() == 900);
  std::set<std::vector<uint64_t>> epochs;
  for (size_t e = 0; e < 3; ++e) {
    epoch.assign(seen.begin() + static_cast<long>(300 * e),
                 seen.begin() + static_cast<long>(300 * (e + 1)));
    CHECK(std::set<uint64_t>(epoch.begin(), epoch.end()).size() == 300);
    epochs.insert(epoch);
  }
  CHECK(epochs.size() == 3);
  for (size_t tenth = 0; tenth < 10; ++tenth) {
    const auto begin = all.begin() + static_cast<long>(180 * tenth);
    const auto count =
        std::count_if(begin, begin + 180, [](const Drawn& d) { return d.part == 1; });
    // 90 expected, standard deviation below 7.
    CHECK(std::abs(static_cast<double>(count) - 90) < 35);
  }
}
