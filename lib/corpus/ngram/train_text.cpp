#include "lib/corpus/ngram/train_text.h"

#include <algorithm>
#include <array>
#include <deque>

#include "lib/base/error.h"
#include "lib/base/ordered.h"
#include "lib/io/document.h"

namespace llmtool {
namespace {

constexpr uint32_t kEnd = UINT32_MAX;           // of a sentence, among numbers of words
constexpr size_t kTextPiece = size_t{1} << 18;  // plain text is read in such pieces
constexpr size_t kBlocksPerThread = 8;          // so that a thread may be busy with sorting

struct LocalWord {
  std::string_view word;
  uint64_t hash;
};

struct Block {
  CorpusBlock block;
  uint64_t consumed = 0;
  std::deque<std::string> texts;  // that the words lie in
  std::vector<LocalWord> words;   // in the order in which they come
  std::vector<uint32_t> sentences;
  std::vector<NgramWord> numbers;  // of the words
  TextCounts counts;
};

// Numbers the words of one block after another.
class LocalWords {
 public:
  void start(Block& block) {
    block_ = &block;
    ++round_;
  }

  uint32_t find_or_add(std::string_view word, uint64_t hash) {
    std::vector<LocalWord>& words = block_->words;
    size_t at = hash & (slots_.size() - 1);
    for (; slots_[at].round == round_; at = (at + 1) & (slots_.size() - 1)) {
      const LocalWord& other = words[slots_[at].number];
      if (other.hash == hash && other.word == word) return slots_[at].number;
    }
    const auto number = static_cast<uint32_t>(words.size());
    slots_[at] = {round_, number};
    words.push_back({word, hash});
    if (2 * words.size() > slots_.size()) grow();
    return number;
  }

 private:
  struct Slot {
    uint32_t round = 0, number = 0;
  };

  void grow() {
    slots_.assign(2 * slots_.size(), {});
    for (uint32_t i = 0; i < block_->words.size(); ++i) {
      size_t at = block_->words[i].hash & (slots_.size() - 1);
      while (slots_[at].round == round_) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = {round_, i};
    }
  }

  Block* block_ = nullptr;
  uint32_t round_ = 0;
  std::vector<Slot> slots_ = std::vector<Slot>(1 << 12);
};

bool is_symbol(std::string_view word) {
  return word == "<s>" || word == "</s>" || word == "<unk>";
}

constexpr std::array<bool, 256> kIsSpace = [] {
  std::array<bool, 256> table{};
  for (const char c : {'\0', '\t', '\n', '\r', ' '}) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

// The words of pieces, and their hashes; empty for those that are left out.
struct PieceWords {
  std::vector<std::string> words;
  std::vector<uint64_t> hashes;

  explicit PieceWords(const Tokenizer* tokenizer) {
    for (int32_t id = 0; tokenizer != nullptr && id < tokenizer->vocab_size(); ++id) {
      const PieceKind kind = tokenizer->piece_kind(id);
      const bool out = kind == PieceKind::kUnknown || kind == PieceKind::kControl;
      words.push_back(out ? std::string() : piece_word(*tokenizer, id));
      hashes.push_back(word_hash(words.back()));
    }
  }
};

class SentenceCutter {
 public:
  SentenceCutter(const SentenceText& options, const PieceWords& pieces)
      : options_(options), pieces_(pieces) {}

  void start(Block& block) {
    block_ = &block;
    local_.start(block);
  }

  void take(Document& document) {
    ++block_->counts.documents;
    const std::string_view text = block_->texts.emplace_back(std::move(document.text));
    document_ = &document;
    if (options_.unit == SentenceUnit::kDocument) {
      if (!text.empty()) sentence(text);
      return;
    }
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      sentence(text.substr(begin, end - begin));
      begin = end + 1;
    }
  }

 private:
  void sentence(std::string_view text) {
    if (options_.tokenizer)
      add_pieces(text);
    else
      add_words(text);
    block_->sentences.push_back(kEnd);
    ++block_->counts.sentences;
  }

  void add_words(std::string_view text) {
    const char* at = text.data();
    const char* const end = at + text.size();
    const auto space = [](char c) { return kIsSpace[static_cast<unsigned char>(c)]; };
    while (true) {
      while (at != end && space(*at)) ++at;
      if (at == end) return;
      const char* const begin = at;
      while (at != end && !space(*at)) ++at;
      const std::string_view word(begin, static_cast<size_t>(at - begin));
      if (*begin == '<' && is_symbol(word)) {
        note_symbol(word);
      } else {
        add(word, word_hash(word));
      }
    }
  }

  void add_pieces(std::string_view text) {
    if (text.ends_with('\r')) text.remove_suffix(1);
    ids_.clear();
    options_.tokenizer->encode(text, ids_);
    if (std::ranges::find(ids_, options_.tokenizer->unk_id()) != ids_.end()) {
      for (std::string& piece : options_.tokenizer->encode_pieces(text)) {
        add_words(block_->texts.emplace_back(std::move(piece)));  // words are views of the texts
      }
      return;
    }
    for (const int32_t id : ids_) {
      const auto piece = static_cast<size_t>(id);
      if (!pieces_.words[piece].empty()) add(pieces_.words[piece], pieces_.hashes[piece]);
    }
  }

  void add(std::string_view word, uint64_t hash) {
    block_->sentences.push_back(local_.find_or_add(word, hash));
    ++block_->counts.words;
  }

  void note_symbol(std::string_view word) {
    ++block_->counts.skipped_symbols;
    if (options_.skip_symbols) return;
    fail(Fault::kInput,
         concat(where(*document_), ": the word ", word,
                " is in the text, which models keep for themselves"),
         "take it out, or give --skip-symbols to read <s>, </s> and <unk> as white space");
  }

  const SentenceText& options_;
  const PieceWords& pieces_;
  LocalWords local_;
  std::vector<int32_t> ids_;
  Block* block_ = nullptr;
  const Document* document_ = nullptr;
};

void number_words(Block& block, TrainVocabulary& vocabulary) {
  block.numbers.reserve(block.words.size());
  for (const LocalWord& word : block.words) {
    block.numbers.push_back(vocabulary.find_or_add(word.word, word.hash));
  }
}

void count_sentences(const Block& block, SentenceTaker& taker, int thread,
                     std::vector<NgramWord>& sentence) {
  sentence.clear();
  for (const uint32_t word : block.sentences) {
    if (word != kEnd) {
      sentence.push_back(block.numbers[word]);
      continue;
    }
    taker.add(thread, sentence);
    sentence.clear();
  }
}

void add_counts(TextCounts& all, const TextCounts& block) {
  all.documents += block.documents;
  all.sentences += block.sentences;
  all.words += block.words;
  all.skipped_symbols += block.skipped_symbols;
  if (all.bad.count == 0) all.bad.first = block.bad.first;
  all.bad.count += block.bad.count;
}

}  // namespace

std::string piece_word(const Tokenizer& tokenizer, int32_t piece) {
  std::string word;
  for (const char c : tokenizer.piece(piece)) {
    if (!kIsSpace[static_cast<unsigned char>(c)]) {
      word += c;
      continue;
    }
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    word += concat("<0x", kDigits[static_cast<size_t>(c) >> 4],
                   kDigits[static_cast<size_t>(c) & 15], ">");
  }
  return word;
}

TextCounts read_sentences(const SentenceText& text, TrainVocabulary& vocabulary,
                          SentenceTaker& taker, ThreadPool& pool,
                          const std::function<void(uint64_t, uint64_t)>& progress) {
  const bool lines = text.unit == SentenceUnit::kLine;
  CorpusReader reader(text.inputs, {.format = text.format,
                                    .text_document_bytes = lines ? kTextPiece : 0,
                                    .skip_bad = text.skip_bad});
  const auto threads = static_cast<size_t>(pool.size());
  const PieceWords pieces(text.tokenizer.get());
  std::vector<DocumentParser> parsers;
  std::vector<SentenceCutter> cutters(threads, SentenceCutter(text, pieces));
  std::vector<std::vector<NgramWord>> sentences(threads);
  for (size_t t = 0; t < threads; ++t) {
    parsers.emplace_back(text.text_member);
  }
  TextCounts counts;
  StagedStream<Block> stream(
      kBlocksPerThread * threads,
      [&](Block& b) {
        const bool more = reader.next(b.block);
        b.consumed = reader.consumed_bytes();
        return more;
      },
      {{[&](Block& b, int thread) {
          const auto t = static_cast<size_t>(thread);
          SentenceCutter& cutter = cutters[t];
          cutter.start(b);
          for_each_document(b.block, parsers[t], b.counts.bad.taker(text.skip_bad),
                            [&](Document& document) { cutter.take(document); });
        },
        [&](Block& b) {
          number_words(b, vocabulary);
          add_counts(counts, b.counts);
          progress(b.consumed, reader.total_bytes());
        }},
       {[&](Block& b, int thread) {
          count_sentences(b, taker, thread, sentences[static_cast<size_t>(thread)]);
        },
        {}}});
  stream.run(pool);
  return counts;
}

}  // namespace llmtool
