#include "lib/text/sentencepiece_model.h"

#include <cmath>
#include <google/protobuf/stubs/logging.h>
#include <sentencepiece_model.pb.h>
#include <unordered_set>

#include "lib/base/error.h"
#include "lib/base/format.h"
#include "lib/text/charsmap.h"
#include "lib/text/utf8.h"

namespace llmtool {
namespace {

using sentencepiece::ModelProto;
using sentencepiece::TrainerSpec;

// Bounds what a hostile model can cost: the library's trainer writes at most 512 characters.
constexpr size_t kMaxPieceBytes = 4096;
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

void check_charsmap(std::string_view map, const Checker& check) {
  if (map.empty()) return;
  const std::string problem = Charsmap::problem_of(map);
  check(problem.empty(), problem);
}

void read_pieces(const ModelProto& proto, SentencePieceModel& model, const Checker& check) {
  std::unordered_set<std::string_view> seen;
  model.pieces.reserve(static_cast<size_t>(proto.pieces_size()));
  for (const auto& p : proto.pieces()) {
    const auto id = static_cast<int32_t>(model.pieces.size());
    check(!p.piece().empty(), "piece ", id, " is empty");
    check(p.piece().size() <= kMaxPieceBytes, "piece ", id, " has ", p.piece().size(),
          " bytes, at most ", kMaxPieceBytes, " are read");
    check(first_invalid_utf8(p.piece()) == std::string::npos, "piece ", id, " is not UTF-8");
    check(p.piece().find('\0') == std::string::npos, "piece ", id, " holds a zero byte");
    check(seen.insert(p.piece()).second, "piece ", id, " ('", p.piece(), "') stands there twice");
    check(std::isfinite(p.score()), "piece ", id, " has a score of ", p.score());
    const PieceKind kind = kind_of(p.type());
    if (kind == PieceKind::kUnknown) {
      check(model.unk_id < 0, "pieces ", model.unk_id, " and ", id, " are both the unknown piece");
      model.unk_id = id;
    }
    model.pieces.push_back({p.piece(), p.score(), kind});
  }
  check(model.unk_id >= 0, "it has no unknown piece");
}

// "<0x0A>": the byte, -1 for another text.
int byte_of(std::string_view piece) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  if (piece.size() != 6 || !piece.starts_with("<0x") || piece[5] != '>') return -1;
  const size_t high = kDigits.find(piece[3]), low = kDigits.find(piece[4]);
  return high == kDigits.npos || low == kDigits.npos ? -1 : static_cast<int>(16 * high + low);
}

void read_byte_pieces(SentencePieceModel& model, const Checker& check) {
  int found = 0;
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    const auto& p = model.pieces[id];
    if (p.kind != PieceKind::kByte) continue;
    const int byte = byte_of(p.text);
    check(byte >= 0, "byte piece ", id, " is '", p.text, "', expected <0x00> to <0xFF>");
    model.byte_ids[static_cast<size_t>(byte)] = static_cast<int32_t>(id);
    ++found;
  }
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
  model.escape_whitespaces = normalizer.escape_whitespaces();
  check_charsmap(normalizer.precompiled_charsmap(), check);
  model.charsmap = normalizer.precompiled_charsmap();
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
  read_byte_pieces(model, check);
  model.bytes = std::move(bytes);
  return model;
}

std::optional<std::string> SentencePieceModel::spaced_text(const Piece& piece) const {
  if (!escape_whitespaces) return piece.text;
  if (piece.text.find(' ') != piece.text.npos) return std::nullopt;
  return replace_all(piece.text, kSpaceSymbol, " ");
}

namespace {

const Register<Format> sentencepiece_format{
    {"sentencepiece", ".model", "read, write", "tokenizers of SentencePiece"}};

}  // namespace

}  // namespace llmtool
