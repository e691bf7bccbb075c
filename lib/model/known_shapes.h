// Shapes of published models, for benchmarks that need no file.
#pragma once

#include "lib/model/config.h"

namespace llmtool {

// https://huggingface.co/HuggingFaceTB/SmolLM2-135M
LlamaConfig smollm2_135m();
// https://huggingface.co/TinyLlama/TinyLlama_v1.1
LlamaConfig tinyllama_1_1b();

}  // namespace llmtool
