#include "lib/model/config.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lib/base/error.h"

namespace llmtool {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kMostHeads = 1024;

// Reads keys of one JSON object, remembering where for messages.
class Keys {
 public:
  Keys(const Json& json, std::string where) : json_(json), where_(std::move(where)) {}

  bool has(const char* key) const { return json_.contains(key) && !json_.at(key).is_null(); }

  template <class T>
  void read(const char* key, T& out) const {
    if (!has(key)) return;
    try {
      out = json_.at(key).get<T>();
    } catch (const nlohmann::json::exception&) {
      fail(Fault::kInput, concat(where_, ": \"", key, "\" is ", json_.at(key).dump(),
                                 ", which is not of the type it should be"));
    }
  }
  template <class T>
  void require(const char* key, T& out) const {
    check(has(key), Fault::kInput, where_, ": \"", key, "\" is missing");
    read(key, out);
  }
  // A key that may only have one value.
  void expect(const char* key, const Json& wanted) const {
    check(!has(key) || json_.at(key) == wanted, Fault::kInput, where_, ": \"", key, "\" is ",
          has(key) ? json_.at(key).dump() : std::string(), ", llmtool computes only ",
          wanted.dump());
  }
  Keys object(const char* key) const {
    check(json_.at(key).is_object(), Fault::kInput, where_, ": \"", key, "\" is not an object");
    return Keys(json_.at(key), concat(where_, ": ", key));
  }
  const std::string& where() const { return where_; }
  // A token id, or the first of a list of ids.
  void read_token_id(const char* key, int64_t& out) const {
    out = -1;
    if (has(key) && json_.at(key).is_array() && !json_.at(key).empty()) {
      check(json_.at(key)[0].is_number_integer(), Fault::kInput, where_, ": \"", key,
            "\" is not a list of ids");
      out = json_.at(key)[0].get<int64_t>();
    } else {
      read(key, out);
    }
  }

 private:
  const Json& json_;
  std::string where_;
};

RopeScaling read_rope_scaling(const Keys& keys) {
  RopeScaling r;
  keys.read("type", r.type);
  keys.read("rope_type", r.type);
  check(r.type == "default" || r.type == "linear" || r.type == "llama3", Fault::kInput,
        keys.where(), ": rope type '", r.type, "', llmtool computes default, linear and llama3");
  if (r.type == "default") return r;
  keys.require("factor", r.factor);
  check(r.factor > 0, Fault::kInput, keys.where(), ": factor must be above 0");
  if (r.type != "llama3") return r;
  keys.require("low_freq_factor", r.low_freq_factor);
  keys.require("high_freq_factor", r.high_freq_factor);
  keys.require("original_max_position_embeddings", r.original_max_position_embeddings);
  check(r.low_freq_factor > 0 && r.high_freq_factor > r.low_freq_factor, Fault::kInput,
        keys.where(), ": expected 0 < low_freq_factor < high_freq_factor");
  return r;
}

DType read_dtype(const Keys& keys) {
  std::string name = "float32";
  keys.read("dtype", name);  // the newer spelling of transformers
  keys.read("torch_dtype", name);
  if (name == "bfloat16") return DType::kBF16;
  if (name == "float16") return DType::kF16;
  check(name == "float32", Fault::kInput, keys.where(), ": \"torch_dtype\" is '", name,
        "', expected float32, bfloat16 or float16");
  return DType::kF32;
}

void check_range(const std::string& where, const char* key, int64_t value, int64_t least,
                 int64_t most) {
  check(value >= least && value <= most, Fault::kInput, where, ": ", key, " is ", value,
        ", expected ", least, " to ", most);
}

Json parse_config(const std::string& text, const std::string& where) {
  try {
    return Json::parse(text);
  } catch (const nlohmann::json::parse_error& e) {
    const auto end = text.begin() +
                     static_cast<std::ptrdiff_t>(std::min(e.byte, text.size() + 1) - (e.byte > 0));
    fail(Fault::kInput, concat(where, ":", 1 + std::count(text.begin(), end, '\n'),
                               ": invalid JSON at byte ", e.byte, " of the file"));
  } catch (const nlohmann::json::out_of_range&) {
    fail(Fault::kInput, concat(where, ": invalid JSON: a number out of range"));
  }
}

}  // namespace

void LlamaConfig::check_consistent(const std::string& where) const {
  constexpr int64_t kMost = int64_t{1} << 24;
  check_range(where, "vocab_size", vocab_size, 1, kMost);
  check_range(where, "hidden_size", hidden_size, 1, kMost);
  check_range(where, "intermediate_size", intermediate_size, 1, kMost);
  check_range(where, "num_hidden_layers", num_hidden_layers, 1, 1024);
  check_range(where, "num_attention_heads", num_attention_heads, 1, kMostHeads);
  check_range(where, "num_key_value_heads", num_key_value_heads, 1, num_attention_heads);
  check_range(where, "head_dim", head_dim, 2, 1024);
  check_range(where, "max_position_embeddings", max_position_embeddings, 1, kMost);
  check(head_dim % 2 == 0, Fault::kInput, where, ": head_dim is ", head_dim,
        ", rotary position embedding needs an even one");
  check(num_attention_heads % num_key_value_heads == 0, Fault::kInput, where,
        ": num_attention_heads (", num_attention_heads, ") is not a multiple of ",
        "num_key_value_heads (", num_key_value_heads, ")");
  check(rms_norm_eps >= 0 && rms_norm_eps < 1, Fault::kInput, where, ": rms_norm_eps is ",
        rms_norm_eps);
  check(rope_theta > 1, Fault::kInput, where, ": rope_theta is ", rope_theta);
}

int64_t LlamaConfig::default_head_dim(const std::string& where) const {
  check_range(where, "num_attention_heads", num_attention_heads, 1, kMostHeads);
  check(hidden_size % num_attention_heads == 0, Fault::kInput, where, ": hidden_size (",
        hidden_size, ") is not a multiple of num_attention_heads (", num_attention_heads,
        "): say what head_dim is");
  return hidden_size / num_attention_heads;
}

int64_t LlamaConfig::matmul_parameter_count() const {
  const int64_t q = num_attention_heads * head_dim, kv = num_key_value_heads * head_dim;
  const int64_t layer = hidden_size * (2 * q + 2 * kv + 3 * intermediate_size);
  return num_hidden_layers * layer + vocab_size * hidden_size;
}

int64_t LlamaConfig::parameter_count() const {
  const int64_t norms = (2 * num_hidden_layers + 1) * hidden_size;
  return matmul_parameter_count() + norms + (tie_word_embeddings ? 0 : vocab_size * hidden_size);
}

double LlamaConfig::training_flops_per_token(int64_t context) const {
  return 6.0 * static_cast<double>(matmul_parameter_count()) +
         6.0 * static_cast<double>(num_hidden_layers * num_attention_heads * head_dim * context);
}

LlamaConfig read_llama_config(const fs::path& path) {
  const std::string where = path.string();
  const Json json = parse_config(read_file(path), where);
  check(json.is_object(), Fault::kInput, where, ": not a JSON object");
  const Keys keys(json, where);
  keys.expect("model_type", "llama");
  keys.expect("hidden_act", "silu");
  keys.expect("attention_bias", false);
  keys.expect("mlp_bias", false);
  check(!keys.has("quantization_config"), Fault::kInput, where,
        ": the weights are quantised, which llmtool does not read from safetensors");

  LlamaConfig c;
  keys.require("vocab_size", c.vocab_size);
  keys.require("hidden_size", c.hidden_size);
  keys.require("intermediate_size", c.intermediate_size);
  keys.require("num_hidden_layers", c.num_hidden_layers);
  keys.require("num_attention_heads", c.num_attention_heads);
  c.num_key_value_heads = c.num_attention_heads;
  keys.read("num_key_value_heads", c.num_key_value_heads);
  if (!keys.has("head_dim")) c.head_dim = c.default_head_dim(where);
  keys.read("head_dim", c.head_dim);
  keys.read("max_position_embeddings", c.max_position_embeddings);
  keys.read("rms_norm_eps", c.rms_norm_eps);
  keys.read("rope_theta", c.rope_theta);
  keys.read("tie_word_embeddings", c.tie_word_embeddings);
  keys.read("initializer_range", c.initializer_range);
  keys.read_token_id("bos_token_id", c.bos_token_id);
  keys.read_token_id("eos_token_id", c.eos_token_id);
  if (keys.has("rope_scaling")) c.rope_scaling = read_rope_scaling(keys.object("rope_scaling"));
  if (keys.has("rope_parameters")) {  // transformers 5 joins theta and scaling
    const Keys rope = keys.object("rope_parameters");
    rope.read("rope_theta", c.rope_theta);
    c.rope_scaling = read_rope_scaling(rope);
  }
  c.dtype = read_dtype(keys);
  c.check_consistent(where);
  return c;
}

std::string to_json(const LlamaConfig& c) {
  Json j = {{"architectures", {"LlamaForCausalLM"}},
            {"model_type", "llama"},
            {"vocab_size", c.vocab_size},
            {"hidden_size", c.hidden_size},
            {"intermediate_size", c.intermediate_size},
            {"num_hidden_layers", c.num_hidden_layers},
            {"num_attention_heads", c.num_attention_heads},
            {"num_key_value_heads", c.num_key_value_heads},
            {"head_dim", c.head_dim},
            {"hidden_act", "silu"},
            {"max_position_embeddings", c.max_position_embeddings},
            {"rms_norm_eps", c.rms_norm_eps},
            {"rope_theta", c.rope_theta},
            {"rope_scaling", nullptr},
            {"attention_bias", false},
            {"mlp_bias", false},
            {"tie_word_embeddings", c.tie_word_embeddings},
            {"initializer_range", c.initializer_range}};
  const RopeScaling& r = c.rope_scaling;
  if (r.type != "default") j["rope_scaling"] = {{"rope_type", r.type}, {"factor", r.factor}};
  if (r.type == "llama3") {
    j["rope_scaling"]["low_freq_factor"] = r.low_freq_factor;
    j["rope_scaling"]["high_freq_factor"] = r.high_freq_factor;
    j["rope_scaling"]["original_max_position_embeddings"] = r.original_max_position_embeddings;
  }
  if (c.bos_token_id >= 0) j["bos_token_id"] = c.bos_token_id;
  if (c.eos_token_id >= 0) j["eos_token_id"] = c.eos_token_id;
  j["torch_dtype"] = c.dtype == DType::kBF16  ? "bfloat16"
                     : c.dtype == DType::kF16 ? "float16"
                                              : "float32";
  return j.dump(2) + "\n";
}

}  // namespace llmtool
