#include "lib/eval/rolling_loss.h"

#include <cstring>
#include <nlohmann/json.hpp>

#include "lib/base/error.h"
#include "lib/base/rng.h"
#include "tests/model/llama_golden.h"

using namespace llmtool;

namespace {

using Losses = std::vector<std::vector<float>>;

nlohmann::json golden_cases() {
  return nlohmann::json::parse(
      read_file(fs::path(LLMTOOL_SOURCE_DIR) / "tests/golden/perplexity.json"));
}

Losses roll(GoldenModel& model, const RollingLoss::Options& options,
            const std::vector<std::vector<int32_t>>& texts) {
  Losses all;
  RollingLoss losses(
      *model.operator->(), options,
      [&](size_t index, std::span<const float> nats) {
        CHECK(index == all.size());
        all.emplace_back(nats.begin(), nats.end());
      },
      model.stream());
  for (const auto& ids : texts) losses.add(ids);
  losses.finish();
  return all;
}

// Texts around all the limits of a context of 16.
std::vector<std::vector<int32_t>> made_texts() {
  std::vector<std::vector<int32_t>> texts;
  for (const int length : {1, 2, 16, 17, 18, 0, 22, 23, 40, 1, 100, 3, 200, 17}) {
    const Rng rng(8, texts.size());
    std::vector<int32_t> ids;
    for (int i = 0; i < length; ++i) {
      ids.push_back(static_cast<int32_t>(rng.below(static_cast<uint64_t>(i), 97)));
    }
    texts.push_back(std::move(ids));
  }
  return texts;
}

}  // namespace

TEST_CASE("rolling losses are those of transformers, window by window") {
  for (const auto& c : golden_cases()) {
    GoldenModel model(Golden(c["model"].get<std::string>()), DType::kF32, available_isas().back());
    CAPTURE(c["model"].get<std::string>());
    CAPTURE(c["context"].get<int>());
    CAPTURE(c["stride"].get<int>());
    const auto got = roll(model, {.context = c["context"], .stride = c["stride"]}, {c["ids"]});
    REQUIRE(got.size() == 1);
    REQUIRE(got[0].size() == c["nats"].size());
    for (size_t i = 0; i < got[0].size(); ++i) {
      const double off = std::abs(got[0][i] - c["nats"][i].get<double>());
      REQUIRE(off <= 2e-5);
    }
  }
}

TEST_CASE("losses do not depend on what shares a batch, nor on the threads") {
  const Golden golden("llama_tiny");
  const auto texts = made_texts();
  for (const Isa isa : available_isas()) {
    for (const DType dtype : {DType::kF32, DType::kBF16}) {
      CAPTURE(name_of(isa));
      CAPTURE(name_of(dtype));
      GoldenModel one(golden, dtype, isa, 1), two(golden, dtype, isa, 2);
      const Losses alone = [&] {
        Losses all;
        for (const auto& ids : texts) {
          all.push_back(roll(one, {.context = 16, .stride = 6, .batch_tokens = 1}, {ids})[0]);
        }
        return all;
      }();
      for (const int64_t batch_tokens : {16, 37, 4096}) {
        CHECK(roll(one, {.context = 16, .stride = 6, .batch_tokens = batch_tokens}, texts) ==
              alone);
        CHECK(roll(two, {.context = 16, .stride = 6, .batch_tokens = batch_tokens}, texts) ==
              alone);
      }
    }
  }
}

TEST_CASE("a stride or a context that does not fit is an error of usage") {
  GoldenModel model(Golden("llama_tiny"), DType::kF32, available_isas().back());
  CHECK_THROWS_AS(roll(model, {.context = 65}, {}), Error);
  CHECK_THROWS_AS(roll(model, {.context = 16, .stride = 17}, {}), Error);
  CHECK(roll(model, {.context = 1}, {{1, 2, 3}})[0].size() == 2);
}
