#include "lib/text/tokenizer.h"

#include "lib/base/error.h"
#include "lib/text/sentencepiece_tokenizer.h"

namespace llmtool {
namespace {

// Files beside tokenizer.model that other programs read; a copy of the tokenizer keeps them.
constexpr const char* kCompanions[] = {"tokenizer_config.json", "special_tokens_map.json",
                                       "added_tokens.json", "chat_template.jinja"};

}  // namespace

std::string_view name_of(PieceKind kind) {
  switch (kind) {
    case PieceKind::kNormal:
      return "normal";
    case PieceKind::kUnknown:
      return "unknown";
    case PieceKind::kControl:
      return "control";
    case PieceKind::kUserDefined:
      return "user-defined";
    case PieceKind::kByte:
      return "byte";
    case PieceKind::kUnused:
      return "unused";
  }
  return "";
}

std::vector<int32_t> Tokenizer::encode(std::string_view text) const {
  std::vector<int32_t> ids;
  encode(text, ids);
  return ids;
}

std::vector<std::string> Tokenizer::encode_pieces(std::string_view text) const {
  std::vector<std::string> pieces;
  for (const int32_t id : encode(text)) pieces.push_back(piece(id));
  return pieces;
}

std::shared_ptr<const Tokenizer> load_tokenizer(const fs::path& path) {
  std::error_code ignored;
  const bool folder = fs::is_directory(path, ignored);
  const fs::path model = folder ? path / "tokenizer.model" : path;
  if (folder && !fs::exists(model, ignored)) {
    const fs::path inside = path / "model";  // of a training
    fail(Fault::kInput, concat(path.string(), ": holds no tokenizer.model"),
         fs::exists(inside / "tokenizer.model", ignored)
             ? concat("there is one in ", inside.string())
             : "make one with `llmtool tokenizer train`");
  }
  std::map<std::string, std::string> files;
  for (const char* name : kCompanions) {
    if (folder && fs::exists(path / name, ignored)) files[name] = read_file(path / name);
  }
  return std::make_shared<SentencePieceTokenizer>(
      parse_sentencepiece_model(read_file(model), model.string()), std::move(files));
}

}  // namespace llmtool
