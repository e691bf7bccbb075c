#include "lib/text/sentencepiece_tokenizer.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "lib/base/error.h"
#include "lib/text/utf8.h"

namespace llmtool {
namespace {

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

// The pieces that can join two characters of a text, as they stand there.
WordCutter cutter_of(const SentencePieceModel& model) {
  std::vector<std::string> texts;
  for (const auto& piece : model.pieces) {
    const bool joins = (piece.kind == PieceKind::kNormal || piece.kind == PieceKind::kUnused) &&
                       model.type != SentencePieceModel::Type::kChar;
    if (!joins && piece.kind != PieceKind::kUserDefined) continue;
    if (auto text = model.spaced_text(piece)) texts.push_back(std::move(*text));
  }
  return WordCutter({texts.begin(), texts.end()});
}

}  // namespace

struct SentencePieceTokenizer::Scratch {
  std::string text;  // as the normaliser wrote it
  PieceCache cache;
  std::vector<int32_t> word_ids;
  UnigramEncoder::Scratch unigram;
  BpeEncoder::Scratch bpe;
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
    : model_(std::move(model)),
      files_(std::move(files)),
      normalizer_(model_),
      cutter_(cutter_of(model_)) {
  for (const auto& piece : model_.pieces) piece_bytes_.push_back(bytes_of(piece, model_));
  if (model_.type == SentencePieceModel::Type::kUnigram) {
    unigram_ = std::make_unique<UnigramEncoder>(model_);
  } else {
    bpe_ = std::make_unique<BpeEncoder>(model_);
  }
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

std::vector<std::string> SentencePieceTokenizer::encode_pieces(std::string_view text) const {
  const std::vector<int32_t> ids = encode(text);
  std::string normal;
  normalizer_.normalize(text, normal);
  std::vector<std::string> pieces;
  size_t at = 0;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] != unk_id()) {
      pieces.push_back(piece(ids[i]));
      at += piece_bytes(ids[i]).size();
      continue;
    }
    // Unknown characters go on to where the next piece is: no piece begins with one of them.
    const std::string_view next = i + 1 < ids.size() ? piece_bytes(ids[i + 1]) : std::string_view();
    const size_t begin = std::min(at, normal.size());
    const size_t end =
        next.empty() || begin == normal.size() ? normal.npos : normal.find(next, begin + 1);
    at = std::min(end, normal.size());
    pieces.push_back(normal.substr(begin, at - begin));
  }
  return pieces;
}

void SentencePieceTokenizer::encode(std::string_view text, std::vector<int32_t>& ids) const {
  ScratchLease scratch(*this);
  normalizer_.normalize(text, (*scratch).text);
  if (unigram_) {
    encode_unigram(*scratch, ids);
  } else {
    encode_bpe(*scratch, ids);
  }
}

void SentencePieceTokenizer::encode_bpe(Scratch& scratch, std::vector<int32_t>& ids) const {
  const std::string_view text = scratch.text;
  const size_t first = ids.size();
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = cutter_.end_of_part(text, begin);
    if (!append_word(text.substr(begin, end - begin), first, scratch, ids)) {
      ids.resize(first);
      bpe_->encode_whole(text, scratch.bpe, ids);
      return;
    }
    begin = end;
  }
}

// False if the ids depend on the rest of the text.
bool SentencePieceTokenizer::append_word(std::string_view word, size_t first, Scratch& scratch,
                                         std::vector<int32_t>& ids) const {
  if (word.size() > PieceCache::kMaxWord) return bpe_->encode_part(word, first, scratch.bpe, ids);
  const uint64_t hash = PieceCache::hash(word);
  std::span<const int32_t> found;
  if (const auto known = scratch.cache.find(word, hash)) {
    found = known->ids;
  } else if (!scratch.cache.seen_before(hash)) {
    return bpe_->encode_part(word, first, scratch.bpe, ids);
  } else {
    scratch.word_ids.clear();
    if (!bpe_->encode_part(word, 0, scratch.bpe, scratch.word_ids)) return false;
    found = scratch.word_ids;
    scratch.cache.add(word, hash, found, 0);
  }
  // A run of unknown characters is one unknown piece.
  const bool unknown_run = !model_.byte_fallback && found.front() == model_.unk_id &&
                           ids.size() > first && ids.back() == model_.unk_id;
  ids.insert(ids.end(), found.begin() + (unknown_run ? 1 : 0), found.end());
  return true;
}

void SentencePieceTokenizer::encode_unigram(Scratch& scratch, std::vector<int32_t>& ids) const {
  const std::string_view text = scratch.text;
  const size_t first = ids.size();
  float score = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = cutter_.end_of_part(text, begin);
    append_part(text.substr(begin, end - begin), score, first, scratch, ids);
    begin = end;
  }
}

void SentencePieceTokenizer::append_part(std::string_view part, float& score, size_t first,
                                         Scratch& scratch, std::vector<int32_t>& ids) const {
  if (part.size() > PieceCache::kMaxWord) {
    unigram_->encode(part, score, first, scratch.unigram, ids);
    return;
  }
  const uint64_t hash = PieceCache::hash(part);
  auto found = scratch.cache.find(part, hash);
  if (!found && scratch.cache.seen_before(hash)) {
    const float limit = unigram_->encode_anywhere(part, scratch.unigram, scratch.word_ids);
    found = {scratch.word_ids, limit};
    scratch.cache.add(part, hash, scratch.word_ids, limit);
  }
  if (found && std::abs(score) <= found->limit) {
    ids.insert(ids.end(), found->ids.begin(), found->ids.end());
    score = unigram_->score_behind(score, found->ids);
  } else {
    unigram_->encode(part, score, first, scratch.unigram, ids);
  }
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
        at(id).text.starts_with(kSpaceSymbol)) {
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
