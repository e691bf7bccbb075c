// Models of SentencePiece's own trainer with any settings, to hold ours against the library.
#pragma once

#include <doctest/doctest.h>
#include <sentencepiece_model.pb.h>
#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>
#include <string>
#include <vector>

#include "lib/text/sentencepiece_log.h"
#include "tests/text/made_text.h"

namespace llmtool {

struct LibraryModel {
  sentencepiece::TrainerSpec::ModelType type = sentencepiece::TrainerSpec::UNIGRAM;
  int vocab_size = 300;
  std::string rules = "nmt_nfkc";  // the normalisation
  bool dummy_prefix = true, remove_extra_whitespaces = true, escape_whitespaces = true;
  bool space_as_suffix = false, split_by_whitespace = true, byte_fallback = false;
  std::vector<std::string> symbols = {};
};

class MadeSentences final : public sentencepiece::SentenceIterator {
 public:
  MadeSentences() {
    for (const std::string& document : made_documents(60, 1)) {
      for (size_t at = 0; at < document.size();) {
        const size_t end = std::min(document.find('\n', at), document.size());
        if (end > at) lines_.push_back(document.substr(at, end - at));
        at = end + 1;
      }
    }
  }
  bool done() const override { return at_ == lines_.size(); }
  void Next() override { ++at_; }
  const std::string& value() const override { return lines_[at_]; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  std::vector<std::string> lines_;
  size_t at_ = 0;
};

inline std::string library_model(const LibraryModel& m) {
  using sentencepiece::SentencePieceTrainer;
  set_sentencepiece_log(SentencePieceLog::kFatal);
  sentencepiece::TrainerSpec trainer;
  trainer.set_model_type(m.type);
  trainer.set_vocab_size(m.vocab_size + (m.byte_fallback ? 256 : 0));
  trainer.set_hard_vocab_limit(false);
  trainer.set_character_coverage(0.99f);  // leaves some characters unknown
  trainer.set_treat_whitespace_as_suffix(m.space_as_suffix);
  trainer.set_split_by_whitespace(m.split_by_whitespace);
  trainer.set_byte_fallback(m.byte_fallback);
  for (const std::string& s : m.symbols) trainer.add_user_defined_symbols(s);
  auto normalizer = SentencePieceTrainer::GetNormalizerSpec(m.rules);
  normalizer.set_add_dummy_prefix(m.dummy_prefix);
  normalizer.set_remove_extra_whitespaces(m.remove_extra_whitespaces);
  MadeSentences sentences;
  std::string model;
  const auto status = SentencePieceTrainer::Train(trainer, normalizer, &sentences, &model);
  REQUIRE_MESSAGE(status.ok(), status.ToString());
  if (m.escape_whitespaces) return model;
  sentencepiece::ModelProto proto;  // the trainer refuses some of these
  REQUIRE(proto.ParseFromString(model));
  proto.mutable_normalizer_spec()->set_escape_whitespaces(false);
  return proto.SerializeAsString();
}

}  // namespace llmtool
