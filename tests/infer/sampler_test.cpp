#include "lib/infer/sampler.h"

#include <algorithm>
#include <cmath>
#include <doctest/doctest.h>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "lib/base/error.h"
#include "lib/base/file.h"

using namespace llmtool;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

nlohmann::json golden_cases() {
  return nlohmann::json::parse(
      read_file(fs::path(LLMTOOL_SOURCE_DIR) / "tests/golden/samplers.json"));
}

std::vector<float> random_logits(int64_t n, uint64_t seed) {
  const Rng rng(seed);
  std::vector<float> logits;
  for (int64_t i = 0; i < n; ++i) {
    logits.push_back(static_cast<float>(2 * rng.normal(static_cast<uint64_t>(i))));
  }
  return logits;
}

std::vector<int32_t> kept_ids(const SamplingOptions& options, const std::vector<float>& logits) {
  Sampler sampler(options, static_cast<int64_t>(logits.size()));
  std::vector<int32_t> ids;
  for (const auto& [id, probability] : sampler.distribution(logits)) ids.push_back(id);
  return ids;
}

Fault fault_of(const SamplingOptions& options, const std::vector<float>& logits,
               const std::string& message) {
  try {
    Sampler(options, static_cast<int64_t>(logits.size())).choose(logits);
  } catch (const Error& e) {
    CHECK(std::string(e.what()).find(message) != std::string::npos);
    return e.fault();
  }
  FAIL("nothing was thrown");
  return Fault::kFailed;
}

}  // namespace

TEST_CASE("the chain leaves what transformers' logits processors leave") {
  for (const auto& c : golden_cases()) {
    const auto& o = c["options"];
    CAPTURE(o.dump());
    const SamplingOptions options{.temperature = o["temperature"],
                                  .top_k = o["top_k"],
                                  .top_p = o["top_p"],
                                  .min_p = o["min_p"],
                                  .repetition_penalty = o["repetition_penalty"]};
    const std::vector<float> logits = c["logits"];
    Sampler sampler(options, static_cast<int64_t>(logits.size()));
    sampler.add_prompt(c["seen"].get<std::vector<int32_t>>());
    const auto kept = sampler.distribution(logits);
    REQUIRE(kept.size() == c["kept"].size());
    for (size_t i = 0; i < kept.size(); ++i) {
      CHECK(kept[i].id == c["kept"][i][0].get<int32_t>());
      CHECK(kept[i].probability == doctest::Approx(c["kept"][i][1].get<double>()).epsilon(1e-6));
    }
  }
}

TEST_CASE("of equal logits the lowest id comes first") {
  const std::vector<float> logits = {1, 3, 2, 3, 3, 2};
  CHECK(Sampler({.temperature = 0}, 6).choose(logits).id == 1);
  CHECK(kept_ids({.top_k = 2}, logits) == std::vector<int32_t>{1, 3});
  CHECK(kept_ids({.top_k = 4}, logits) == std::vector<int32_t>{1, 3, 4, 2});
  CHECK(kept_ids({.min_p = 1}, logits) == std::vector<int32_t>{1, 3, 4});
}

TEST_CASE("limits that drop nothing change nothing, tiny ones leave one token") {
  const std::vector<float> logits = random_logits(700, 3);
  const int32_t best = Sampler({.temperature = 0}, 700).choose(logits).id;
  Sampler plain({.seed = 5}, 700), with_limits({.top_k = 10000, .min_p = 1e-300, .seed = 5}, 700);
  for (int i = 0; i < 50; ++i) CHECK(plain.choose(logits).id == with_limits.choose(logits).id);
  for (const SamplingOptions& one :
       {SamplingOptions{.top_k = 1}, SamplingOptions{.top_p = 1e-300}, SamplingOptions{.min_p = 1},
        SamplingOptions{.temperature = 1e-30}, SamplingOptions{.temperature = 0, .top_k = 3}}) {
    Sampler sampler(one, 700);
    for (int i = 0; i < 20; ++i) CHECK(sampler.choose(logits).id == best);
  }
  CHECK(kept_ids({.top_p = std::nextafter(1.0, 0.0)}, logits).size() >= 690);
}

TEST_CASE("-infinity bars a token") {
  std::vector<float> logits(90, -kInfinity);
  logits[17] = -3e38f;
  for (const SamplingOptions& o :
       {SamplingOptions{}, SamplingOptions{.temperature = 0}, SamplingOptions{.top_k = 5},
        SamplingOptions{.top_p = 0.9999}, SamplingOptions{.repetition_penalty = 1e30}}) {
    Sampler sampler(o, 90);
    sampler.add_prompt(std::vector<int32_t>{17, 18, 4000});
    for (int i = 0; i < 20; ++i) CHECK(sampler.choose(logits).id == 17);
  }
}

TEST_CASE("logits that are no numbers are errors") {
  std::vector<float> logits = random_logits(20, 1);
  logits[7] = std::numeric_limits<float>::quiet_NaN();
  for (const double temperature : {0.0, 1.0}) {
    CHECK(fault_of({.temperature = temperature}, logits, "token 7 is NaN") == Fault::kInput);
  }
  logits[7] = kInfinity;
  CHECK(fault_of({}, logits, "token 7 is infinite") == Fault::kInput);
  CHECK(fault_of({}, std::vector<float>(4, -kInfinity), "all 4 logits") == Fault::kInput);
}

TEST_CASE("options out of range are errors of usage") {
  const std::vector<float> logits = {1, 2};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(fault_of({.temperature = -1}, logits, "temperature is -1") == Fault::kUsage);
  CHECK(fault_of({.temperature = nan}, logits, "temperature") == Fault::kUsage);
  CHECK(fault_of({.top_k = -1}, logits, "top-k") == Fault::kUsage);
  CHECK(fault_of({.top_p = 0}, logits, "top-p") == Fault::kUsage);
  CHECK(fault_of({.top_p = 1.1}, logits, "top-p") == Fault::kUsage);
  CHECK(fault_of({.min_p = -0.1}, logits, "min-p") == Fault::kUsage);
  CHECK(fault_of({.min_p = nan}, logits, "min-p") == Fault::kUsage);
  CHECK(fault_of({.repetition_penalty = 0}, logits, "repetition penalty") == Fault::kUsage);
}

TEST_CASE("tokens are drawn as often as they are probable") {
  const std::vector<float> logits = {0, 1, -1, 2, -kInfinity, 0.5f};
  const SamplingOptions options{.temperature = 1.3, .seed = 9};
  constexpr int kDraws = 40000;
  std::map<int32_t, int> drawn;
  Sampler sampler(options, 6);
  for (int i = 0; i < kDraws; ++i) ++drawn[sampler.choose(logits).id];
  CHECK(drawn.count(4) == 0);
  for (const auto& [id, p] : Sampler(options, 6).distribution(logits)) {
    CAPTURE(id);
    const double sigma = std::sqrt(kDraws * p * (1 - p));
    CHECK(std::abs(drawn[id] - kDraws * p) <= 4 * sigma);
  }
}

TEST_CASE("draws belong to seed, sequence and position") {
  const std::vector<float> logits = random_logits(300, 2);
  const auto draw = [&](uint64_t seed, uint64_t sequence) {
    Sampler sampler({.seed = seed}, 300, sequence);
    std::vector<int32_t> ids;
    for (int i = 0; i < 30; ++i) ids.push_back(sampler.choose(logits).id);
    return ids;
  };
  CHECK(draw(1, 0) == draw(1, 0));
  CHECK(draw(1, 0) != draw(2, 0));
  CHECK(draw(1, 0) != draw(1, 1));
  const auto ids = draw(1, 0);
  CHECK(std::ranges::count(ids, ids[0]) < 30);
}

TEST_CASE("the log-probability is the model's own, before the chain") {
  const std::vector<float> logits = random_logits(40, 4);
  double sum = 0;
  for (const float l : logits) sum += std::exp(static_cast<double>(l));
  Sampler sampler({.temperature = 0.5, .top_k = 3, .log_probability = true}, 40);
  for (int i = 0; i < 10; ++i) {
    const Choice c = sampler.choose(logits);
    CHECK(c.log_probability ==
          doctest::Approx(logits[static_cast<size_t>(c.id)] - std::log(sum)).epsilon(1e-9));
  }
}

TEST_CASE("what was chosen counts as seen") {
  const std::vector<float> logits = {2, 1.5f, 1};
  Sampler sampler({.temperature = 0, .repetition_penalty = 1.6}, 3);
  CHECK(sampler.choose(logits).id == 0);
  CHECK(sampler.choose(logits).id == 1);
  CHECK(sampler.choose(logits).id == 0);
}
