#include "lib/train/sample_text.h"

#include <algorithm>

#include "lib/base/interrupt.h"
#include "lib/infer/generator.h"

namespace llmtool {

SampleText sample_continuation(const Tokenizer& tokenizer, const std::string& prompt,
                               int64_t max_tokens, uint64_t seed, Stream& stream) {
  return [&tokenizer, prompt, max_tokens, seed, &stream](Model& model, int64_t step) {
    const LlamaConfig& config = model.config();
    GenerationRequest request;
    set_prompt(request, prompt, /*bos=*/true, tokenizer, config);
    const auto given = static_cast<int64_t>(request.prompt.size());
    const int64_t room = config.max_position_embeddings - given;
    if (given == 0 || room < 1) return std::string();
    request.max_tokens = std::min(max_tokens, room);
    request.sequence = static_cast<uint64_t>(step);
    request.sampling.temperature = 0.8;
    request.sampling.top_p = 0.95;
    request.sampling.seed = seed;
    std::string text;
    GenerationEvents events;
    events.on_finish = [&text](size_t, Generation&& g) { text = std::move(g.text); };
    const Generator::Options options{
        .slots = 1, .context = given + request.max_tokens, .prefill_chunk = 512};
    Generator generator(model, tokenizer, options, std::move(events), stream);
    generator.submit(std::move(request));
    while (!interrupted() && generator.step()) {
    }
    return prompt + text;
  };
}

}  // namespace llmtool
