#include "lib/infer/continue_text.h"

#include <algorithm>

namespace llmtool {

void set_prompt(GenerationRequest& request, std::string_view text, bool bos,
                const Tokenizer& tokenizer, const LlamaConfig& config) {
  request.prompt.clear();
  if (bos && config.bos_token_id >= 0) {
    request.prompt.push_back(static_cast<int32_t>(config.bos_token_id));
  }
  tokenizer.encode(text, request.prompt);
  request.begins_text = text.empty();
}

Generation continue_text(Model& model, const Tokenizer& tokenizer, std::string_view text,
                         GenerationRequest request, Stream& stream) {
  set_prompt(request, text, true, tokenizer, model.config());
  const auto size = static_cast<int64_t>(request.prompt.size());
  const Generator::Options options{
      .slots = 1,
      .context = std::min(size + request.max_tokens, model.config().max_position_embeddings),
      .prefill_chunk = std::max<int64_t>(1, size)};
  Generation answer;
  GenerationEvents events;
  events.on_finish = [&](size_t, Generation&& g) { answer = std::move(g); };
  Generator generator(model, tokenizer, options, std::move(events), stream);
  generator.submit(std::move(request));
  while (generator.step()) {
  }
  return answer;
}

}  // namespace llmtool
