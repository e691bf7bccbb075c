#include "lib/text/sentencepiece_model.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <google/protobuf/stubs/logging.h>
#include <sentencepiece_model.pb.h>
#include <unordered_set>

#include "lib/base/error.h"
#include "lib/base/format.h"
#include "lib/text/utf8.h"

namespace llmtool {
namespace {

using sentencepiece::ModelProto;
using sentencepiece::TrainerSpec;

// The library matches user-defined symbols into an array of this size on its stack.
constexpr size_t kMaxNestedSymbols = 64;
constexpr size_t kMaxModelBytes = size_t{1} << 30;

class Checker {
 public:
  explicit Checker(std::string_view name) : name_(name) {}

  template <class... P>
  void operator()(bool ok, const P&... parts) const {
    if (ok) [[likely]] {
      return;
    }
    fail(Fault::kInput, concat(name_, ": not a usable SentencePiece model: ", parts...),
         "the file is damaged or of another kind: expected the .model that SentencePiece or "
         "`llmtool tokenizer train` wrote");
  }

 private:
  std::string_view name_;
};

PieceKind kind_of(ModelProto::SentencePiece::Type type) {
  switch (type) {
    case ModelProto::SentencePiece::UNKNOWN:
      return PieceKind::kUnknown;
    case ModelProto::SentencePiece::CONTROL:
      return PieceKind::kControl;
    case ModelProto::SentencePiece::USER_DEFINED:
      return PieceKind::kUserDefined;
    case ModelProto::SentencePiece::BYTE:
      return PieceKind::kByte;
    case ModelProto::SentencePiece::UNUSED:
      return PieceKind::kUnused;
    default:
      return PieceKind::kNormal;
  }
}

SentencePieceModel::Type type_of(const TrainerSpec& spec, const Checker& check) {
  switch (spec.model_type()) {
    case TrainerSpec::UNIGRAM:
      return SentencePieceModel::Type::kUnigram;
    case TrainerSpec::BPE:
      return SentencePieceModel::Type::kBpe;
    case TrainerSpec::CHAR:
      return SentencePieceModel::Type::kChar;
    default:
      break;
  }
  check(false, "its type is 'word', expected unigram, bpe or char");
  return {};
}

// Units of a Darts double array.
uint32_t unit_at(std::string_view trie, size_t i) {
  uint32_t unit;
  std::memcpy(&unit, trie.data() + 4 * i, sizeof unit);
  return unit;
}
bool is_leaf_value(uint32_t unit) {
  return unit >> 31;
}
bool has_leaf(uint32_t unit) {
  return (unit >> 8) & 1;
}
size_t offset_of(uint32_t unit) {
  return size_t{unit >> 10} << ((unit & (1u << 9)) >> 6);
}

// The library follows the offsets of the normalisation trie unchecked: each must stay inside, and
// each value must point into the strings behind the trie.
void check_charsmap(std::string_view map, const Checker& check) {
  if (map.empty()) return;
  uint32_t trie_bytes = 0;
  check(map.size() > sizeof trie_bytes, "its normalisation map has ", map.size(), " bytes");
  std::memcpy(&trie_bytes, map.data(), sizeof trie_bytes);
  map.remove_prefix(sizeof trie_bytes);
  check(trie_bytes > 0 && trie_bytes % 4 == 0 && trie_bytes < map.size(),
        "its normalisation map has ", map.size(), " bytes and names a trie of ", trie_bytes);
  const std::string_view trie = map.substr(0, trie_bytes), strings = map.substr(trie_bytes);
  check(strings.back() == '\0', "the strings of its normalisation map do not end with a zero");
  const size_t units = trie_bytes / 4;
  for (size_t i = 0; i < units; ++i) {
    const uint32_t unit = unit_at(trie, i);
    if (is_leaf_value(unit)) continue;
    const size_t children = i ^ offset_of(unit);
    check((children | 0xff) < units, "unit ", i, " of its normalisation trie points outside");
    if (has_leaf(unit)) {
      check((unit_at(trie, children) & 0x7fffffff) < strings.size(), "unit ", i,
            " of its normalisation trie has a value outside");
    }
  }
}

void check_nesting(std::vector<std::string_view> symbols, const Checker& check) {
  std::sort(symbols.begin(), symbols.end());
  std::vector<std::string_view> prefixes;
  for (const std::string_view symbol : symbols) {
    while (!prefixes.empty() && !symbol.starts_with(prefixes.back())) prefixes.pop_back();
    prefixes.push_back(symbol);
    check(prefixes.size() <= kMaxNestedSymbols, "more than ", kMaxNestedSymbols,
          " of its user-defined symbols are prefixes of each other");
  }
}

void read_pieces(const ModelProto& proto, SentencePieceModel& model, const Checker& check) {
  std::unordered_set<std::string_view> seen;
  std::vector<std::string_view> symbols;
  model.pieces.reserve(static_cast<size_t>(proto.pieces_size()));
  for (const auto& p : proto.pieces()) {
    const auto id = static_cast<int32_t>(model.pieces.size());
    check(!p.piece().empty(), "piece ", id, " is empty");
    check(first_invalid_utf8(p.piece()) == std::string::npos, "piece ", id, " is not UTF-8");
    check(p.piece().find('\0') == std::string::npos, "piece ", id, " holds a zero byte");
    check(seen.insert(p.piece()).second, "piece ", id, " ('", p.piece(), "') stands there twice");
    check(std::isfinite(p.score()), "piece ", id, " has a score of ", p.score());
    const PieceKind kind = kind_of(p.type());
    if (kind == PieceKind::kUnknown) {
      check(model.unk_id < 0, "pieces ", model.unk_id, " and ", id, " are both the unknown piece");
      model.unk_id = id;
    }
    if (kind == PieceKind::kUserDefined) symbols.push_back(p.piece());
    model.pieces.push_back({p.piece(), p.score(), kind});
  }
  check(model.unk_id >= 0, "it has no unknown piece");
  check_nesting(std::move(symbols), check);
}

void check_byte_pieces(const SentencePieceModel& model, const Checker& check) {
  int found = 0;
  for (const auto& p : model.pieces) found += p.kind == PieceKind::kByte;
  check(found == (model.byte_fallback ? 256 : 0), "it has ", found, " byte pieces, expected ",
        model.byte_fallback ? 256 : 0);
}

int32_t control_id(const SentencePieceModel& model, std::string_view text) {
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    const auto& p = model.pieces[id];
    if (p.text == text) return p.kind == PieceKind::kControl ? static_cast<int32_t>(id) : -1;
  }
  return -1;
}

void read_settings(const ModelProto& proto, SentencePieceModel& model, const Checker& check) {
  const auto& trainer = proto.trainer_spec();
  const auto& normalizer = proto.normalizer_spec();
  model.type = type_of(trainer, check);
  model.byte_fallback = trainer.byte_fallback();
  model.space_as_suffix = trainer.treat_whitespace_as_suffix();
  model.unk_surface = trainer.unk_surface();
  model.add_dummy_prefix = normalizer.add_dummy_prefix();
  model.remove_extra_whitespaces = normalizer.remove_extra_whitespaces();
  model.identity_normalization =
      normalizer.precompiled_charsmap().empty() && normalizer.escape_whitespaces();
  check_charsmap(normalizer.precompiled_charsmap(), check);
  check(proto.denormalizer_spec().precompiled_charsmap().empty(),
        "it rewrites decoded text (denormalizer_spec), which llmtool does not do");
  model.bos_id = control_id(model, trainer.bos_piece().empty() ? "<s>" : trainer.bos_piece());
  model.eos_id = control_id(model, trainer.eos_piece().empty() ? "</s>" : trainer.eos_piece());
}

ModelProto parse_proto(std::string_view bytes, const Checker& check) {
  [[maybe_unused]] static const auto previous = google::protobuf::SetLogHandler(nullptr);
  ModelProto proto;
  check(!bytes.empty(), "it is empty");
  check(bytes.size() <= kMaxModelBytes, "it has ", bytes.size(), " bytes, at most ", kMaxModelBytes,
        " are read");
  check(proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())),
        "its protobuf message is broken or truncated");
  return proto;
}

}  // namespace

SentencePieceModel parse_sentencepiece_model(std::string bytes, std::string_view name) {
  const Checker check(name);
  const ModelProto proto = parse_proto(bytes, check);
  check(proto.pieces_size() > 0, "it holds no pieces");
  SentencePieceModel model;
  read_pieces(proto, model, check);
  read_settings(proto, model, check);
  check_byte_pieces(model, check);
  model.bytes = std::move(bytes);
  return model;
}

std::string without_dummy_prefix(const SentencePieceModel& model) {
  ModelProto proto = parse_proto(model.bytes, Checker("model"));
  proto.mutable_normalizer_spec()->set_add_dummy_prefix(false);
  proto.clear_self_test_data();
  return proto.SerializeAsString();
}

namespace {

const Register<Format> sentencepiece_format{
    {"sentencepiece", ".model", "read, write", "tokenizers of SentencePiece"}};

}  // namespace

}  // namespace llmtool
