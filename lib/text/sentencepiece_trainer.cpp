#include "lib/text/sentencepiece_trainer.h"

#include <algorithm>
#include <charconv>
#include <sentencepiece_model.pb.h>
#include <sentencepiece_trainer.h>

#include "lib/base/child_process.h"
#include "lib/base/error.h"
#include "lib/text/sentencepiece_log.h"

namespace llmtool {
namespace {

using sentencepiece::NormalizerSpec;
using sentencepiece::TrainerSpec;

constexpr int kBytePieces = 256, kMetaPieces = 3;
constexpr std::string_view kFailed = "failed: ";

// The trainer's input: every document, cut into sentences.
class Sentences final : public sentencepiece::SentenceIterator {
 public:
  explicit Sentences(std::span<const std::string> documents) : documents_(documents) { advance(); }

  bool done() const override { return done_; }
  void Next() override { advance(); }
  const std::string& value() const override { return sentence_; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  void advance() {
    while (document_ < documents_.size() && at_ == documents_[document_].size()) {
      ++document_;
      at_ = 0;
    }
    done_ = document_ == documents_.size();
    if (done_) return;
    const std::string& text = documents_[document_];
    const size_t end = end_of_sentence(text, at_);
    sentence_.assign(text, at_, end - at_);
    at_ = end;
  }

  std::span<const std::string> documents_;
  size_t document_ = 0, at_ = 0;
  std::string sentence_;
  bool done_ = false;
};

TrainerSpec trainer_spec(const SentencePieceTraining& o) {
  TrainerSpec spec;
  spec.set_model_type(o.model == "bpe"       ? TrainerSpec::BPE
                      : o.model == "unigram" ? TrainerSpec::UNIGRAM
                                             : TrainerSpec::CHAR);
  spec.set_vocab_size(o.vocab_size);
  spec.set_hard_vocab_limit(false);  // what is missing is ours to report
  spec.set_character_coverage(static_cast<float>(o.character_coverage));
  spec.set_max_sentencepiece_length(o.max_piece_length);
  spec.set_max_sentence_length(kMaxSentence);
  spec.set_byte_fallback(o.byte_fallback);
  spec.set_split_digits(o.split_digits);
  spec.set_allow_whitespace_only_pieces(true);
  spec.set_num_threads(kSentencePieceThreads);
  spec.set_unk_id(0);
  spec.set_bos_id(1);
  spec.set_eos_id(2);
  spec.set_pad_id(-1);
  for (const auto& s : o.user_defined_symbols) spec.add_user_defined_symbols(s);
  for (const auto& s : o.control_symbols) spec.add_control_symbols(s);
  return spec;
}

NormalizerSpec normalizer_spec(const SentencePieceTraining& o) {
  NormalizerSpec spec;
  spec.set_name("identity");
  spec.set_add_dummy_prefix(o.add_dummy_prefix);
  spec.set_remove_extra_whitespaces(false);
  return spec;
}

// In the child: the model, or what the library says behind kFailed.
std::string train_here(const SentencePieceTraining& options, std::span<const std::string> documents,
                       SentencePieceLog log) {
  set_sentencepiece_log(log);
  Sentences sentences(documents);
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(
      trainer_spec(options), normalizer_spec(options), &sentences, &model);
  return status.ok() ? model : concat(kFailed, status.ToString());
}

int special_pieces(const SentencePieceTraining& o) {
  return kMetaPieces + (o.byte_fallback ? kBytePieces : 0) +
         static_cast<int>(o.user_defined_symbols.size() + o.control_symbols.size());
}

void check_options(const SentencePieceTraining& o) {
  check(o.model == "bpe" || o.model == "unigram" || o.model == "char", Fault::kUsage,
        "no tokenizer model is called '", o.model, "': expected bpe, unigram or char");
  check(o.character_coverage >= 0.98 && o.character_coverage <= 1, Fault::kUsage,
        "character coverage of ", o.character_coverage, ": expected 0.98 to 1");
  check(o.max_piece_length >= 1 && o.max_piece_length <= 512, Fault::kUsage, "pieces of at most ",
        o.max_piece_length, " characters: expected 1 to 512");
  for (const auto& s : o.user_defined_symbols) {
    check(!s.empty() && s.find('\0') == s.npos, Fault::kUsage,
          "a user-defined symbol is empty or holds a zero byte");
  }
  const int special = special_pieces(o);
  check(o.vocab_size > special, Fault::kUsage, "a vocabulary of ", o.vocab_size,
        " pieces is too small: ", special,
        " are special ones (unknown, begin, end, symbols and the bytes), and text needs more");
}

void check_documents(std::span<const std::string> documents) {
  const bool any = std::any_of(documents.begin(), documents.end(), [](const std::string& text) {
    return text.find_first_not_of(std::string_view(" \t\n\r\0", 5)) != text.npos;
  });
  check(any, Fault::kInput, "the input holds no text to train a tokenizer on");
}

int number_after(std::string_view line, std::string_view key) {
  const size_t at = line.find(key);
  int value = -1;
  if (at != line.npos) {
    std::from_chars(line.data() + at + key.size(), line.data() + line.size(), value);
  }
  return value;
}

void report(std::string_view line, const TrainingProgress& progress) {
  if (!progress) return;
  const int pieces = number_after(line, " size=");
  if (line.find("Added: freq=") != line.npos) progress("merging", pieces);
  if (line.find("EM sub_iter=") != line.npos) progress("estimating", pieces);
  if (line.find("Making suffix array") != line.npos) progress("collecting substrings", 0);
}

// "Vocabulary size is smaller than required_chars. 300 vs 512. ..."
[[noreturn]] void fail_training(const SentencePieceTraining& o, std::string_view message) {
  const int needed = number_after(message, concat(". ", o.vocab_size, " vs "));
  if (needed > 0) {
    fail(Fault::kInput,
         concat("a vocabulary of ", o.vocab_size, " pieces is too small for this text: ", needed,
                " are needed for its characters and the special pieces"),
         "ask for more with --vocab-size, or for fewer characters with --character-coverage");
  }
  fail(Fault::kInput, concat("SentencePiece cannot train on this text: ", message));
}

void check_size(const SentencePieceTraining& o, const std::string& model) {
  sentencepiece::ModelProto proto;
  LLMTOOL_ASSERT(proto.ParseFromString(model));
  if (o.model == "char" || proto.pieces_size() == o.vocab_size) return;
  fail(Fault::kInput,
       concat("a vocabulary of ", o.vocab_size, " pieces is too large for this text: it gives ",
              proto.pieces_size()),
       concat("ask for at most ", proto.pieces_size(), " with --vocab-size, or give more text"));
}

}  // namespace

size_t end_of_sentence(std::string_view text, size_t begin) {
  size_t end = text.find('\n', begin);
  end = end == text.npos ? text.size() : std::min(text.size(), text.find_first_not_of('\n', end));
  if (end - begin <= kMaxSentence) return end;
  end = text.rfind(' ', begin + kMaxSentence);
  if (end != text.npos && end > begin) return end;
  end = begin + kMaxSentence;
  while ((static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // inside a character
  return end;
}

std::string train_sentencepiece(const SentencePieceTraining& options,
                                std::span<const std::string> documents,
                                const TrainingProgress& progress) {
  check_options(options);
  check_documents(documents);
  ChildResult child;
  // The trainer's messages tell how far it is; on a text without any two characters that may be
  // joined they are what crashes it, so it gets a second chance without them.
  for (const SentencePieceLog log : {SentencePieceLog::kInfo, SentencePieceLog::kFatal}) {
    child = run_in_child([&] { return train_here(options, documents, log); },
                         [&](std::string_view line) { report(line, progress); });
    if (child.ok) break;
  }
  if (!child.ok) {
    fail(Fault::kFailed,
         concat("SentencePiece's trainer ended with ", child.death,
                "; its last words: ", child.last_line),
         "the text may be too small or too uniform for this vocabulary; after signal 9 there was "
         "too little memory: lower --sample-bytes");
  }
  if (child.output.starts_with(kFailed)) {
    fail_training(options, std::string_view(child.output).substr(kFailed.size()));
  }
  check_size(options, child.output);
  return std::move(child.output);
}

}  // namespace llmtool
