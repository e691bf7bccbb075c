// The configuration of a Llama-family model: the keys of Hugging Face's config.json
// (transformers, models/llama/configuration_llama.py), with its defaults.
#pragma once

#include <cstdint>
#include <string>

#include "lib/base/dtype.h"
#include "lib/base/file.h"

namespace llmtool {

// How positions beyond the trained context are rescaled; rope_scaling / rope_parameters.
struct RopeScaling {
  std::string type = "default";  // default, linear, llama3
  double factor = 1;
  double low_freq_factor = 1, high_freq_factor = 4;  // llama3
  int64_t original_max_position_embeddings = 8192;   // llama3
};

struct LlamaConfig {
  int64_t vocab_size = 32000;
  int64_t hidden_size = 4096;
  int64_t intermediate_size = 11008;
  int64_t num_hidden_layers = 32;
  int64_t num_attention_heads = 32;
  int64_t num_key_value_heads = 32;
  int64_t head_dim = 128;
  int64_t max_position_embeddings = 2048;
  double rms_norm_eps = 1e-6;
  double rope_theta = 10000;
  RopeScaling rope_scaling;
  bool tie_word_embeddings = false;
  double initializer_range = 0.02;
  int64_t bos_token_id = 1, eos_token_id = 2;  // -1: none
  DType dtype = DType::kF32;                   // torch_dtype: what the file's weights are in

  // Throws Fault::kInput naming the key that is out of range or does not fit another. `where` is
  // the file, or the flags.
  void check_consistent(const std::string& where) const;

  // hidden_size / num_attention_heads; Fault::kInput if that leaves a rest.
  int64_t default_head_dim(const std::string& where) const;

  // Parameters of the model (a tied head counts once), and those that a token is multiplied with
  // (all but the norms and an untied embedding).
  int64_t parameter_count() const;
  int64_t matmul_parameter_count() const;
  // Floating-point operations of forward and backward per token: 6 x matmul_parameter_count() +
  // 6 x layers x heads x head_dim x context, the causal half of attention (the convention of
  // llm.c).
  double training_flops_per_token(int64_t context) const;
};

// Reads a config.json. What it asks for and this program does not compute (biases, other
// activations, quantisation, other rope types) is Fault::kInput, not ignored.
LlamaConfig read_llama_config(const fs::path& path);

// The config.json text.
std::string to_json(const LlamaConfig& config);

}  // namespace llmtool
