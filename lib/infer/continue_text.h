// From the text of a prompt to the text of its answer.
#pragma once

#include <string_view>

#include "lib/infer/generator.h"

namespace llmtool {

// Sets what the prompt's text is to the model: BOS (bos_token_id, if the model has one and it is
// wanted) and the text's ids. text must be valid UTF-8.
void set_prompt(GenerationRequest& request, std::string_view text, bool bos,
                const Tokenizer& tokenizer, const LlamaConfig& config);

// The answer to one prompt: request says how, its prompt is set from text with BOS. The model is
// left reserved for inference. Throws as Generator::submit().
Generation continue_text(Model& model, const Tokenizer& tokenizer, std::string_view text,
                         GenerationRequest request, Stream& stream);

}  // namespace llmtool
