#include "lib/infer/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "lib/base/catalog.h"
#include "lib/base/error.h"

namespace llmtool {
namespace {

using Seen = std::span<const int32_t>;

void penalize_repetition(const SamplingOptions& o, Seen seen, Candidates& c) {
  if (o.repetition_penalty == 1) return;
  constexpr double kMost = std::numeric_limits<float>::max();
  for (const int32_t id : seen) {
    const double logit = c.logit(id);
    if (std::isinf(logit)) continue;
    const double changed = logit > 0 ? logit / o.repetition_penalty : logit * o.repetition_penalty;
    c.change_logit(id, static_cast<float>(std::clamp(changed, -kMost, kMost)));
  }
}

void apply_temperature(const SamplingOptions& o, Seen, Candidates& c) {
  if (o.temperature == 0) {
    c.keep(1);
  } else {
    c.set_temperature(o.temperature);
  }
}

void keep_top_k(const SamplingOptions& o, Seen, Candidates& c) {
  if (o.top_k > 0) c.keep(o.top_k);
}

void keep_top_p(const SamplingOptions& o, Seen, Candidates& c) {
  if (o.top_p >= 1) return;
  const double wanted = o.top_p * c.weight_sum();
  double sum = 0;
  int64_t n = 0;
  while (n < c.count() && sum < wanted) sum += c.weight(c.at(n++));
  c.keep(n);
}

void keep_min_p(const SamplingOptions& o, Seen, Candidates& c) {
  if (o.min_p <= 0) return;
  int64_t n = 1;
  while (n < c.count() && c.weight(c.at(n)) >= o.min_p) ++n;
  c.keep(n);
}

const Register<SamplerStep> repetition_penalty{
    {"repetition-penalty", "Makes tokens of the prompt and the answer less likely (CTRL)", 10,
     penalize_repetition}};
const Register<SamplerStep> temperature{
    {"temperature", "Divides the logits; 0 takes the most likely token", 20, apply_temperature}};
const Register<SamplerStep> top_k{{"top-k", "Keeps the k most likely tokens", 30, keep_top_k}};
const Register<SamplerStep> top_p{
    {"top-p", "Keeps the fewest tokens whose probabilities reach p (nucleus)", 40, keep_top_p}};
const Register<SamplerStep> min_p{
    {"min-p", "Keeps tokens at least p times as likely as the most likely one", 50, keep_min_p}};

double log_softmax(std::span<const float> logits, int32_t id) {
  const double largest = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  return static_cast<double>(logits[static_cast<size_t>(id)]) - largest - std::log(sum);
}

}  // namespace

void SamplingOptions::check_valid() const {
  const auto require = [](bool ok, const char* what, double value, const char* expected) {
    check(ok, Fault::kUsage, what, " is ", value, ", expected ", expected);
  };
  require(temperature >= 0 && std::isfinite(temperature), "temperature", temperature, "0 or more");
  require(top_k >= 0, "top-k", static_cast<double>(top_k), "0 (all) or more");
  require(top_p > 0 && top_p <= 1, "top-p", top_p, "above 0, at most 1");
  require(min_p >= 0 && min_p <= 1, "min-p", min_p, "0 to 1");
  require(repetition_penalty > 0 && std::isfinite(repetition_penalty), "repetition penalty",
          repetition_penalty, "above 0");
}

std::vector<SamplerStep> sampler_chain() {
  std::vector<SamplerStep> chain = Catalog<SamplerStep>::all();
  std::ranges::sort(chain, {}, &SamplerStep::order);
  return chain;
}

Sampler::Sampler(const SamplingOptions& options, int64_t vocab_size, uint64_t sequence)
    : options_(options),
      chain_(sampler_chain()),
      rng_(options.seed, stream_id("sampler") + sequence),
      is_seen_(static_cast<size_t>(vocab_size)) {
  options.check_valid();
}

void Sampler::add_seen(int32_t id) {
  const auto at = static_cast<size_t>(id);
  if (at >= is_seen_.size() || is_seen_[at]) return;
  is_seen_[at] = true;
  seen_.push_back(id);
}

void Sampler::add_prompt(std::span<const int32_t> ids) {
  for (const int32_t id : ids) add_seen(id);
}

void Sampler::apply_chain(std::span<const float> logits) {
  LLMTOOL_ASSERT(logits.size() == is_seen_.size());
  candidates_.reset(logits);
  for (const SamplerStep& step : chain_) step.apply(options_, seen_, candidates_);
}

int32_t Sampler::draw() {
  if (candidates_.count() == 1) return candidates_.at(0);
  const double wanted = rng_.uniform(position_) * candidates_.weight_sum();
  double sum = 0;
  int32_t chosen = 0;
  candidates_.for_each([&](int32_t id) {
    const double weight = candidates_.weight(id);
    if (weight > 0) chosen = id;
    sum += weight;
    return wanted < sum;
  });
  return chosen;
}

Choice Sampler::choose(std::span<const float> logits) {
  apply_chain(logits);
  Choice choice;
  choice.id = draw();
  if (options_.log_probability) choice.log_probability = log_softmax(logits, choice.id);
  ++position_;
  add_seen(choice.id);
  return choice;
}

std::vector<Sampler::Probability> Sampler::distribution(std::span<const float> logits) {
  apply_chain(logits);
  const double sum = candidates_.weight_sum();
  std::vector<Probability> result;
  for (int64_t rank = 0; rank < candidates_.count(); ++rank) {
    const int32_t id = candidates_.at(rank);
    result.push_back({id, candidates_.weight(id) / sum});
  }
  return result;
}

}  // namespace llmtool
