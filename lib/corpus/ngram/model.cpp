#include "lib/corpus/ngram/model.h"

#include "lib/base/error.h"
#include "lib/corpus/ngram/kenlm_format.h"
#include "lib/corpus/ngram/kenlm_probing.h"
#include "lib/corpus/ngram/kenlm_trie.h"
#include "lib/corpus/ngram/model_bytes.h"

namespace llmtool {
namespace {

bool has_kenlm_magic(const fs::path& path) {
  return is_kenlm_binary(MappedFile(path).bytes());
}

}  // namespace

std::shared_ptr<const NgramModel> load_ngram_model(const fs::path& path, ModelLoading loading) {
  check(!fs::exists(path) || fs::is_regular_file(path), Fault::kInput, "'", path.string(),
        "' is no regular file, expected a KenLM binary or an ARPA file");
  if (!has_kenlm_magic(path)) return KenlmProbing::from_arpa(path);
  KenlmHeader header = parse_kenlm_header(MappedFile(path).bytes(), path);
  auto bytes = std::make_unique<const ModelBytes>(path, loading);
  if (header.kind == KenlmKind::kProbing) {
    return std::make_shared<KenlmProbing>(std::move(bytes), std::move(header), path.string());
  }
  return std::make_shared<KenlmTrie>(std::move(bytes), std::move(header), path.string());
}

}  // namespace llmtool
