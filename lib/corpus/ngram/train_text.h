// The sentences of a corpus, as numbers of words.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lib/base/threads.h"
#include "lib/corpus/ngram/train_counter.h"
#include "lib/corpus/ngram/train_vocabulary.h"
#include "lib/io/corpus_reader.h"
#include "lib/text/tokenizer.h"

namespace llmtool {

enum class SentenceUnit { kLine, kDocument };

struct SentenceText {
  std::vector<std::string> inputs;
  const RecordFormat* format = nullptr;  // null: by the names
  std::string text_member = "text";
  bool skip_bad = false;
  SentenceUnit unit = SentenceUnit::kLine;
  // Null: words are what NUL, tab, line feed, carriage return and space stand between. Else a word
  // is a piece, spelled by piece_word(), and what is no piece is spelled as it stands in the text,
  // as CCNet has it.
  std::shared_ptr<const Tokenizer> tokenizer;
  // The words <s>, </s> and <unk> in a text are left out; else they are Fault::kInput.
  bool skip_symbols = false;
};

// How a piece is spelled as a word of a model: as the vocabulary has it, but NUL, tab, line feed,
// carriage return and space in it as <0x00>, <0x09>, <0x0A>, <0x0D>, <0x20>.
std::string piece_word(const Tokenizer& tokenizer, int32_t piece);

struct TextCounts {
  uint64_t documents = 0, sentences = 0, words = 0, skipped_symbols = 0;
  BadLines bad;
};

// Words are numbered in the order in which they come, sentences come to `taker` in any order. A
// sentence without words counts; a document without text has no sentence. progress: bytes of the
// inputs that were read, and all (0: unknown).
TextCounts read_sentences(const SentenceText& text, TrainVocabulary& vocabulary,
                          SentenceTaker& taker, ThreadPool& pool,
                          const std::function<void(uint64_t, uint64_t)>& progress);

}  // namespace llmtool
