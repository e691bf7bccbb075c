#include "lib/text/sentencepiece_tokenizer.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sentencepiece_processor.h>

#include "lib/base/error.h"
#include "lib/text/sentencepiece_log.h"
#include "lib/text/utf8.h"

namespace llmtool {
namespace {

using sentencepiece::SentencePieceProcessor;

void check_status(const sentencepiece::util::Status& status, std::string_view what) {
  if (status.ok()) return;
  fail(Fault::kInput, concat("SentencePiece cannot ", what, ": ", status.ToString()));
}

std::unique_ptr<SentencePieceProcessor> load(const std::string& bytes) {
  set_sentencepiece_log(SentencePieceLog::kFatal);
  auto processor = std::make_unique<SentencePieceProcessor>();
  check_status(processor->LoadFromSerializedProto(bytes), "use the model");
  return processor;
}

std::string bytes_of(const SentencePieceModel::Piece& piece, const SentencePieceModel& model) {
  switch (piece.kind) {
    case PieceKind::kControl:
      return "";
    case PieceKind::kUnknown:
      return model.unk_surface;
    case PieceKind::kByte:  // "<0x0A>"
      return std::string(1, static_cast<char>(std::strtol(piece.text.c_str() + 3, nullptr, 16)));
    default:
      return replace_all(piece.text, kSpaceSymbol, " ");
  }
}

// The pieces that can join two characters of a text.
std::vector<std::string_view> joining_pieces(const SentencePieceModel& model,
                                             const std::vector<std::string>& bytes) {
  std::vector<std::string_view> pieces;
  for (size_t id = 0; id < bytes.size(); ++id) {
    const PieceKind kind = model.pieces[id].kind;
    const bool merges = kind == PieceKind::kNormal && model.type != SentencePieceModel::Type::kChar;
    if (merges || kind == PieceKind::kUserDefined) pieces.push_back(bytes[id]);
  }
  return pieces;
}

// True if the library would only write spaces as U+2581. Models with unused pieces are left to it:
// it takes them apart again by the way they were merged last, anywhere in the text.
bool is_plain(const SentencePieceModel& model) {
  const bool has_unused = std::any_of(model.pieces.begin(), model.pieces.end(),
                                      [](const auto& p) { return p.kind == PieceKind::kUnused; });
  return model.identity_normalization && !model.remove_extra_whitespaces &&
         !model.space_as_suffix && !has_unused;
}

}  // namespace

struct SentencePieceTokenizer::Scratch {
  PieceCache cache;
  std::vector<int> word_ids;
  std::vector<UnigramEncoder::Best> best;
};

class SentencePieceTokenizer::ScratchLease {
 public:
  explicit ScratchLease(const SentencePieceTokenizer& owner) : owner_(owner) {
    const std::lock_guard lock(owner_.mutex_);
    if (!owner_.idle_.empty()) {
      scratch_ = std::move(owner_.idle_.back());
      owner_.idle_.pop_back();
    }
    if (!scratch_) scratch_ = std::make_unique<Scratch>();
  }
  ~ScratchLease() {
    const std::lock_guard lock(owner_.mutex_);
    owner_.idle_.push_back(std::move(scratch_));
  }
  Scratch& operator*() { return *scratch_; }

 private:
  const SentencePieceTokenizer& owner_;
  std::unique_ptr<Scratch> scratch_;
};

SentencePieceTokenizer::SentencePieceTokenizer(SentencePieceModel model,
                                               std::map<std::string, std::string> files)
    : model_(std::move(model)), files_(std::move(files)), whole_(load(model_.bytes)) {
  for (const auto& piece : model_.pieces) piece_bytes_.push_back(bytes_of(piece, model_));
  if (!is_plain(model_)) return;
  if (model_.type == SentencePieceModel::Type::kUnigram) {
    unigram_ = std::make_unique<UnigramEncoder>(model_);
    return;
  }
  cutter_ = std::make_unique<WordCutter>(joining_pieces(model_, piece_bytes_));
  if (cutter_->useful()) words_ = load(without_dummy_prefix(model_));
}

SentencePieceTokenizer::~SentencePieceTokenizer() = default;

const SentencePieceModel::Piece& SentencePieceTokenizer::at(int32_t id) const {
  LLMTOOL_ASSERT(id >= 0 && id < vocab_size());
  return model_.pieces[static_cast<size_t>(id)];
}

std::string_view SentencePieceTokenizer::piece_bytes(int32_t id) const {
  LLMTOOL_ASSERT(id >= 0 && id < vocab_size());
  return piece_bytes_[static_cast<size_t>(id)];
}

std::vector<int32_t> SentencePieceTokenizer::encode_whole(std::string_view text) const {
  std::vector<int> ids;
  check_status(whole_->Encode({text.data(), text.size()}, &ids), "encode a text");
  return ids;
}

void SentencePieceTokenizer::encode(std::string_view text, std::vector<int32_t>& ids) const {
  const bool ours = words_ || (unigram_ && text.size() < UnigramEncoder::kMaxText &&
                               first_invalid_utf8(text) == text.npos);
  if (!ours) {
    const std::vector<int32_t> all = encode_whole(text);
    ids.insert(ids.end(), all.begin(), all.end());
  } else if (text.find(kSpaceSymbol) != text.npos || (model_.add_dummy_prefix && !text.empty())) {
    encode_spaced((model_.add_dummy_prefix ? " " : "") + replace_all(text, kSpaceSymbol, " "), ids);
  } else {
    encode_spaced(text, ids);
  }
}

// text has spaces where the library would have U+2581.
void SentencePieceTokenizer::encode_spaced(std::string_view text, std::vector<int32_t>& ids) const {
  ScratchLease scratch(*this);
  if (unigram_) {
    unigram_->encode(text, (*scratch).best, ids);
  } else {
    encode_words(text, *scratch, ids);
  }
}

void SentencePieceTokenizer::encode_words(std::string_view text, Scratch& scratch,
                                          std::vector<int32_t>& ids) const {
  const size_t first = ids.size();
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = cutter_->end_of_part(text, begin);
    append_word(text.substr(begin, end - begin), first, scratch, ids);
    begin = end;
  }
}

void SentencePieceTokenizer::append_word(std::string_view word, size_t first, Scratch& scratch,
                                         std::vector<int32_t>& ids) const {
  std::span<const int32_t> found;
  uint64_t hash = 0;
  const bool short_word = word.size() <= PieceCache::kMaxWord;
  if (short_word) {
    hash = PieceCache::hash(word);
    found = scratch.cache.find(word, hash);
  }
  if (found.empty()) {
    check_status(words_->Encode({word.data(), word.size()}, &scratch.word_ids), "encode a word");
    found = scratch.word_ids;
    if (short_word) scratch.cache.add(word, hash, found);
  }
  // The library writes a run of unknown characters as one unknown piece.
  const bool unknown_run = !model_.byte_fallback && ids.size() > first &&
                           ids.back() == model_.unk_id && !found.empty() &&
                           found.front() == model_.unk_id;
  ids.insert(ids.end(), found.begin() + (unknown_run ? 1 : 0), found.end());
}

std::string SentencePieceTokenizer::decode(std::span<const int32_t> ids) const {
  std::string text;
  // The space that encoding put in front of the text is taken away again.
  bool at_start = model_.add_dummy_prefix || model_.remove_extra_whitespaces;
  for (const int32_t id : ids) {
    check(id >= 0 && id < vocab_size(), Fault::kInput, "id ", id,
          " is not in the vocabulary: expected 0 to ", vocab_size() - 1);
    std::string_view bytes = piece_bytes(id);
    if (at_start && at(id).kind != PieceKind::kUnknown && at(id).kind != PieceKind::kByte &&
        bytes.starts_with(' ')) {
      bytes.remove_prefix(1);
      at_start = model_.remove_extra_whitespaces;
    }
    text += bytes;
    at_start = at_start && text.empty();
  }
  return text;
}

std::string_view SentencePieceTokenizer::kind() const {
  switch (model_.type) {
    case SentencePieceModel::Type::kUnigram:
      return "sentencepiece-unigram";
    case SentencePieceModel::Type::kBpe:
      return "sentencepiece-bpe";
    case SentencePieceModel::Type::kChar:
      return "sentencepiece-char";
  }
  return "";
}

std::string SentencePieceTokenizer::checksum() const {
  return llmtool::checksum(std::as_bytes(std::span(model_.bytes)));
}

void SentencePieceTokenizer::save(const fs::path& folder) const {
  write_file(folder / "tokenizer.model", model_.bytes);
  for (const auto& [name, bytes] : files_) write_file(folder / name, bytes);
  if (files_.contains("tokenizer_config.json")) return;
  // What Hugging Face transformers needs to read tokenizer.model.
  nlohmann::ordered_json config;
  config["tokenizer_class"] = "LlamaTokenizer";
  config["add_bos_token"] = false;
  config["add_eos_token"] = false;
  config["add_prefix_space"] = model_.add_dummy_prefix;
  config["legacy"] = false;
  config["clean_up_tokenization_spaces"] = false;
  config["unk_token"] = piece(unk_id());
  if (bos_id() >= 0) config["bos_token"] = piece(bos_id());
  if (eos_id() >= 0) config["eos_token"] = piece(eos_id());
  write_file(folder / "tokenizer_config.json", config.dump(2) + "\n");
}

}  // namespace llmtool
