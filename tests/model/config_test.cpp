#include "lib/model/config.h"

#include <doctest/doctest.h>

#include "lib/base/error.h"
#include "lib/model/model.h"
#include "lib/tensor/memory.h"
#include "tests/scratch_folder.h"

using namespace llmtool;

namespace {

constexpr const char* kRight =
    R"("vocab_size": 10, "hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 1,
       "num_attention_heads": 2)";

LlamaConfig read(const ScratchFolder& folder, const std::string& more) {
  const fs::path path = folder.path() / "config.json";
  write_file(path, concat("{", kRight, more.empty() ? "" : ", ", more, "}"));
  return read_llama_config(path);
}

}  // namespace

TEST_CASE("config: defaults, and what is written comes back") {
  const ScratchFolder folder;
  const LlamaConfig c = read(folder, "");
  CHECK(c.num_key_value_heads == 2);
  CHECK(c.head_dim == 4);
  CHECK(c.rope_theta == 10000);
  const std::string scaled =
      R"("head_dim": 6, "num_key_value_heads": 1, "rope_theta": 5e5, "tie_word_embeddings": true,
         "torch_dtype": "bfloat16", "eos_token_id": [7, 8], "rope_scaling": {"rope_type": "llama3",
         "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4,
         "original_max_position_embeddings": 64})";
  const LlamaConfig s = read(folder, scaled);
  CHECK(s.eos_token_id == 7);
  CHECK(s.rope_scaling.type == "llama3");
  write_file(folder.path() / "again.json", to_json(s));
  CHECK(to_json(read_llama_config(folder.path() / "again.json")) == to_json(s));
}

TEST_CASE("config: what does not fit or is not computed is named") {
  const ScratchFolder folder;
  const std::pair<const char*, const char*> bad[] = {
      {R"("hidden_size": 9)", "hidden_size (9) is not a multiple of num_attention_heads (2)"},
      {R"("num_attention_heads": 0)", "num_attention_heads is 0"},
      {R"("head_dim": 5)", "head_dim is 5"},
      {R"("head_dim": 0)", "head_dim is 0"},
      {R"("num_key_value_heads": 3)", "num_key_value_heads is 3"},
      {R"("vocab_size": "ten")", "\"vocab_size\" is \"ten\""},
      {R"("vocab_size": null)", "\"vocab_size\" is missing"},
      {R"("hidden_size": 1099511627776)", "hidden_size is 1099511627776"},
      {R"("model_type": "gpt2")", "\"model_type\""},
      {R"("hidden_act": "gelu")", "\"hidden_act\""},
      {R"("attention_bias": true)", "\"attention_bias\""},
      {R"("quantization_config": {})", "quantised"},
      {R"("rope_scaling": {"type": "yarn"})", "'yarn'"},
      {R"("rope_scaling": [])", "not an object"},
      {R"("rope_theta": 0)", "rope_theta is 0"},
      {R"("torch_dtype": "int8")", "'int8'"}};
  for (const auto& [entry, message] : bad) {
    CAPTURE(entry);
    CHECK_THROWS_WITH_AS(read(folder, entry), doctest::Contains(message), Error);
  }
  const fs::path path = folder.path() / "config.json";
  write_file(path, "{\n\"vocab_size\": 10,\n\"hidden_size\"\n}");
  CHECK_THROWS_WITH_AS(read_llama_config(path), doctest::Contains("config.json:4: invalid JSON"),
                       Error);
  write_file(path, "{\"vocab_size\": 1e999}");
  CHECK_THROWS_WITH_AS(read_llama_config(path), doctest::Contains("invalid JSON"), Error);
  write_file(path, "[]");
  CHECK_THROWS_WITH_AS(read_llama_config(path), doctest::Contains("not a JSON object"), Error);
}

TEST_CASE("load_model: tensors that are missing, unknown, of another shape or dtype") {
  const ScratchFolder folder;
  ThreadPool pool(1);
  Stream stream = open_stream(Device::kCpu, pool);
  const LlamaConfig config = read(folder, "");
  auto model = make_model(config);
  model->parameters().allocate_weights(DType::kF32, Device::kCpu);
  model->parameters().initialize(1, stream);
  const fs::path path = folder.path() / "model.safetensors";
  const auto right =
      model->parameters().to_write(model->parameters().weight(0).row<char>(0), DType::kF32);
  const auto loads = [&](const std::vector<TensorToWrite>& tensors) {
    write_safetensors(path, tensors);
    load_model(folder.path(), DType::kF32, stream);
  };
  const std::vector<int64_t> numbers(512);
  const float frequencies[2] = {1, 2};
  auto tensors = right;
  tensors.push_back(
      {"model.layers.0.self_attn.rotary_emb.inv_freq", DType::kF32, {2}, frequencies});
  loads(tensors);  // as older files of Llama have it
  tensors.push_back({"model.layers.0.extra.weight", DType::kF32, {2}, frequencies});
  CHECK_THROWS_WITH_AS(loads(tensors), doctest::Contains("'model.layers.0.extra.weight'"), Error);
  tensors = right;
  tensors.erase(tensors.begin() + 2);
  CHECK_THROWS_WITH_AS(loads(tensors), doctest::Contains("q_proj.weight' is missing"), Error);
  tensors = right;
  std::swap(tensors[0].shape[0], tensors[0].shape[1]);
  CHECK_THROWS_WITH_AS(loads(tensors), doctest::Contains("is [8, 10], config.json says [10, 8]"),
                       Error);
  tensors = right;
  tensors[0].dtype = DType::kI64;
  tensors[0].data = numbers.data();
  CHECK_THROWS_WITH_AS(loads(tensors), doctest::Contains("'model.embed_tokens.weight' is of i64"),
                       Error);
  close_stream(stream);
}
