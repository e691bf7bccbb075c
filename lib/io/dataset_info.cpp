#include "lib/io/dataset_info.h"

#include <nlohmann/json.hpp>

#include "lib/base/error.h"

namespace llmtool {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "megatron-indexed";

Json split_json(const DatasetSplit& split) {
  return {{"documents", split.documents},
          {"text_bytes", split.text_bytes},
          {"tokens", split.tokens},
          {"bytes_per_token", split.bytes_per_token()},
          {"shards", split.shards}};
}

DatasetSplit split_of(const Json& json) {
  return {.documents = json.at("documents"),
          .text_bytes = json.at("text_bytes"),
          .tokens = json.at("tokens"),
          .shards = json.at("shards")};
}

DatasetInfo info_of(const Json& json) {
  const Json& tokenizer = json.at("tokenizer");
  return {.tokenizer_kind = tokenizer.at("kind"),
          .tokenizer_checksum = tokenizer.at("checksum"),
          .vocab_size = tokenizer.at("vocab_size"),
          .eos_id = tokenizer.at("eos_id"),
          .train = split_of(json.at("train")),
          .val = split_of(json.at("val")),
          .val_fraction = json.at("val_fraction"),
          .seed = json.at("seed"),
          .empty_documents = json.at("empty_documents"),
          .bad_lines = json.at("bad_lines"),
          .space_symbols = json.at("space_symbols")};
}

}  // namespace

std::string dataset_json(const DatasetInfo& info) {
  const Json json = {{"format", kFormat},
                     {"tokenizer",
                      {{"kind", info.tokenizer_kind},
                       {"checksum", info.tokenizer_checksum},
                       {"vocab_size", info.vocab_size},
                       {"eos_id", info.eos_id}}},
                     {"train", split_json(info.train)},
                     {"val", split_json(info.val)},
                     {"val_fraction", info.val_fraction},
                     {"seed", info.seed},
                     {"empty_documents", info.empty_documents},
                     {"bad_lines", info.bad_lines},
                     {"space_symbols", info.space_symbols}};
  return json.dump(2) + "\n";
}

DatasetInfo read_dataset_info(const fs::path& folder) {
  const fs::path path = folder / "dataset.json";
  const std::string text = read_file(path);
  try {
    const Json json = Json::parse(text);
    check(json.at("format") == kFormat, Fault::kInput, path.string(), ": its format is not ",
          kFormat);
    return info_of(json);
  } catch (const Json::exception& e) {
    fail(Fault::kInput, concat(path.string(), ": ", e.what()),
         "expected the dataset.json that `llmtool tokenize` wrote");
  }
}

}  // namespace llmtool
