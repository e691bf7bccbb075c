// Choosing the next token from a row of logits. The chain, in the order of Hugging Face
// transformers (generation/logits_process.py):
//   repetition penalty  a logit of a token of the prompt or the answer: l > 0 ? l / r : l * r
//                       (Keskar et al. 2019, arXiv:1909.05858)
//   temperature         l / T; T = 0 keeps the largest logit only
//   top-k               keeps the k largest
//   top-p               keeps the fewest largest whose probabilities reach p (Holtzman et al. 2019,
//                       arXiv:1904.09751)
//   min-p               keeps those whose probability is at least p times the largest (Nguyen et
//                       al. 2024, arXiv:2407.01082)
// then draws from what is left, by its probabilities. llama.cpp applies the temperature last, after
// the cuts. Of equal logits the one of the lowest id counts as larger, so exactly k pass top-k.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lib/base/rng.h"
#include "lib/infer/candidates.h"

namespace llmtool {

struct SamplingOptions {
  double temperature = 1;         // >= 0
  int64_t top_k = 0;              // 0: all
  double top_p = 1;               // (0, 1]
  double min_p = 0;               // [0, 1]
  double repetition_penalty = 1;  // > 0
  uint64_t seed = 0;
  bool log_probability = false;  // wanted in Choice

  // Throws Fault::kUsage naming the one that is out of range.
  void check_valid() const;
};

struct Choice {
  int32_t id = 0;
  // Of the model itself: log softmax(logits)[id], before the chain. 0 unless asked for.
  double log_probability = 0;
};

// One step of the chain.
struct SamplerStep {
  std::string name;
  std::string summary;
  int order;  // place in the chain
  // seen: the distinct tokens of the prompt and the answer so far.
  void (*apply)(const SamplingOptions& options, std::span<const int32_t> seen,
                Candidates& candidates);
};

std::vector<SamplerStep> sampler_chain();

// The sampler of one sequence.
class Sampler {
 public:
  // sequence: which one of a run; with the seed and the number of accepted tokens it names the
  // random number, so that an answer does not depend on what is generated beside it.
  Sampler(const SamplingOptions& options, int64_t vocab_size, uint64_t sequence = 0);

  // Tokens of the prompt: they count as seen. Ids outside the vocabulary are passed over.
  void add_prompt(std::span<const int32_t> ids);
  // The next token; it counts as seen from now on. Throws Fault::kInput for logits that are not a
  // number, infinite upwards, or -infinity all.
  Choice choose(std::span<const float> logits);

  struct Probability {
    int32_t id;
    double probability;
  };
  // What choose() would draw from, by falling probability.
  std::vector<Probability> distribution(std::span<const float> logits);

 private:
  void add_seen(int32_t id);
  void apply_chain(std::span<const float> logits);
  int32_t draw();

  SamplingOptions options_;
  std::vector<SamplerStep> chain_;
  Rng rng_;
  uint64_t position_ = 0;  // tokens chosen
  std::vector<int32_t> seen_;
  std::vector<bool> is_seen_;  // by id
  Candidates candidates_;
};

}  // namespace llmtool
