#include "lib/model/model.h"

#include "lib/base/error.h"

namespace llmtool {

KvCache::KvCache(const LlamaConfig& config, DType dtype, int64_t rows, Device device)
    : rows_(rows),
      cols_(config.num_key_value_heads * config.head_dim),
      dtype_(dtype),
      buffer_(device, rows * bytes_per_row(config, dtype)) {}

int64_t KvCache::bytes_per_row(const LlamaConfig& config, DType dtype) {
  return 2 * config.num_hidden_layers * config.num_key_value_heads * config.head_dim *
         size_of(dtype);
}

View KvCache::view(int64_t index) const {
  return View{buffer_.data() + index * rows_ * cols_ * size_of(dtype_), rows_, cols_, cols_,
              dtype_};
}

std::unique_ptr<Model> make_model(const LlamaConfig& config) {
  return Catalog<ModelFamily>::find("model family", "llama").make(config);
}

std::unique_ptr<Model> load_model(const fs::path& folder, DType dtype, Stream& stream) {
  const LlamaConfig config = read_llama_config(folder / "config.json");
  auto model = make_model(config);
  model->parameters().allocate_weights(dtype, stream.device);
  // Some files repeat a tied head, older ones hold the frequencies of the rotary embedding.
  std::vector<std::string> ignored;
  if (config.tie_word_embeddings) ignored.push_back("lm_head.weight");
  for (int64_t l = 0; l < config.num_hidden_layers; ++l) {
    ignored.push_back(concat("model.layers.", l, ".self_attn.rotary_emb.inv_freq"));
  }
  model->parameters().load(SafetensorsFolder(folder), ignored, stream);
  return model;
}

void save_model(const Model& model, const fs::path& folder, Stream& stream) {
  const Parameters& p = model.parameters();
  const View all = p.all_weights();
  std::vector<char> host(static_cast<size_t>(all.count() * size_of(all.dtype)));
  copy_memory(host.data(), Device::kCpu, all.data, p.device(), static_cast<int64_t>(host.size()),
              stream);
  synchronize(stream);
  LlamaConfig config = model.config();
  config.dtype = p.dtype();
  write_file(folder / "config.json", to_json(config));
  write_safetensors(folder / "model.safetensors", p.to_write(host.data(), p.dtype()),
                    {{"format", "pt"}});
}

}  // namespace llmtool
