// Text that a model in training writes, for people who watch it learn.
#pragma once

#include <functional>
#include <string>

#include "lib/model/model.h"
#include "lib/text/tokenizer.h"

namespace llmtool {

// The text of a model after `step` steps. Takes the model's memory: reserve_training() must follow.
using SampleText = std::function<std::string(Model& model, int64_t step)>;

// Continues `prompt` by up to max_tokens tokens (fewer if the context is shorter), at temperature
// 0.8 and top-p 0.95, seeded by (seed, step). Ends early on an interrupt.
SampleText sample_continuation(const Tokenizer& tokenizer, const std::string& prompt,
                               int64_t max_tokens, uint64_t seed, Stream& stream);

}  // namespace llmtool
