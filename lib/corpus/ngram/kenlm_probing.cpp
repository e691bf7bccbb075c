#include "lib/corpus/ngram/kenlm_probing.h"

#include <cmath>
#include <cstring>
#include <optional>

#include "lib/base/error.h"
#include "lib/corpus/ngram/arpa_reader.h"
#include "lib/corpus/ngram/staged_score.h"

namespace llmtool {
namespace {

// More buckets in a row than a table of any size has whose keys are hashes.
constexpr uint64_t kLongestRow = uint64_t{1} << 20;
constexpr size_t kWordBlock = 64;

// The tables of an ARPA file in memory.
class ImageSink final : public NgramSink {
 public:
  explicit ImageSink(std::string name) : name_(std::move(name)) {}

  void begin(const std::vector<std::string>& words, const std::vector<uint64_t>& counts) override {
    header.counts = counts;
    bytes = std::make_unique<ModelBytes>(ProbingLayout(header).end);
    builder_.emplace(bytes->data(), header, name_);
    builder_->set_words(words);
  }
  void add(const Ngram& ngram) override { builder_->add(ngram); }
  void end() override { builder_->finish(); }

  KenlmHeader header;
  std::unique_ptr<ModelBytes> bytes;

 private:
  std::string name_;
  std::optional<ProbingBuilder> builder_;
};

}  // namespace

class KenlmProbing::Tables {
 public:
  struct Cursor {
    uint64_t key;
    uint64_t place;
  };

  explicit Tables(const KenlmProbing& model) : model_(model) {}

  int order() const { return model_.order(); }

  void fetch_unigram(NgramWord word) const { __builtin_prefetch(unigram_at(word)); }

  NgramEntry unigram(NgramWord word, Cursor& cursor) const {
    cursor.key = word;
    return entry_at(unigram_at(word), true);
  }

  void fetch(Cursor& cursor, int n, NgramWord word) const {
    cursor.key = kenlm_prepend(cursor.key, word);
    cursor.place = table(n).place(cursor.key);
    __builtin_prefetch(at(n, cursor.place));
  }

  bool find(Cursor& cursor, int n, NgramWord, NgramEntry& entry) const {
    const uint64_t buckets = table(n).buckets;
    for (uint64_t looked = 0; looked < buckets; ++looked) {
      const std::byte* there = at(n, cursor.place);
      const auto key = load_value<uint64_t>(there);
      if (key == cursor.key) {
        entry = entry_at(there + 8, n < order());
        return true;
      }
      if (key == 0) return false;
      if (++cursor.place == buckets) cursor.place = 0;
      if (looked == kLongestRow) break;
    }
    model_.fail_damaged("a table of n-grams has no gaps");
  }

 private:
  const ProbingTable& table(int n) const {
    return model_.layout_.tables[static_cast<size_t>(n - 2)];
  }
  const std::byte* at(int n, uint64_t place) const {
    return model_.file_ + table(n).offset + place * (n == order() ? kLongestEntry : kMiddleEntry);
  }
  const std::byte* unigram_at(NgramWord word) const {
    return model_.file_ + model_.layout_.unigrams + word * kUnigramEntry;
  }
  static NgramEntry entry_at(const std::byte* weights, bool has_backoff) {
    const auto probability = load_value<float>(weights);
    return {-std::fabs(probability), has_backoff ? load_value<float>(weights + 4) : 0.0f,
            !std::signbit(probability)};
  }

  const KenlmProbing& model_;
};

KenlmProbing::KenlmProbing(std::unique_ptr<const ModelBytes> bytes, KenlmHeader header,
                           std::string name, std::string_view kind)
    : bytes_(std::move(bytes)),
      file_(bytes_->bytes().data()),
      header_(std::move(header)),
      layout_(header_),
      name_(std::move(name)),
      kind_(kind) {
  check_layout();
}

std::shared_ptr<const NgramModel> KenlmProbing::from_arpa(const fs::path& path) {
  ImageSink sink(path.string());
  read_arpa(path, sink);
  sink.header.has_words = false;
  return std::make_shared<KenlmProbing>(std::move(sink.bytes), sink.header, path.string(), "ARPA");
}

void KenlmProbing::check_layout() const {
  const uint64_t size = bytes_->bytes().size();
  check(layout_.end <= size, Fault::kInput, name_, ": ", size, " bytes, expected at least ",
        layout_.end, " by its header: is it cut short?");
  const std::byte* vocabulary = file_ + header_.bytes();
  const auto version = load_value<uint32_t>(vocabulary);
  check(version == 0, Fault::kInput, name_, ": vocabulary of version ", version, ", expected 0");
  const auto bound = load_value<uint32_t>(vocabulary + 4);
  check(bound >= 1 && bound <= header_.counts[0] + 1, Fault::kInput, name_, ": ", bound,
        " words in the vocabulary and ", header_.counts[0], " 1-grams");
  if (!header_.has_words) return;
  constexpr std::string_view kFirst("<unk>\0", 6);
  check(size - layout_.end >= kFirst.size() &&
            std::memcmp(file_ + layout_.end, kFirst.data(), kFirst.size()) == 0,
        Fault::kInput, name_, ": its words do not begin with <unk> at byte ", layout_.end,
        ": cut short, or made by a compiler that lays it out otherwise");
}

void KenlmProbing::fail_damaged(const char* what) const {
  fail(Fault::kInput, concat(name_, ": damaged: ", what));
}

NgramWord KenlmProbing::find_word(uint64_t key) const {
  const ProbingTable& table = layout_.vocabulary;
  uint64_t place = table.place(key);
  for (uint64_t looked = 0; looked < table.buckets && looked <= kLongestRow; ++looked) {
    const std::byte* at = file_ + table.offset + place * kVocabularyEntry;
    const auto there = load_value<uint64_t>(at);
    if (there == key) {
      const auto word = load_value<uint32_t>(at + 8);
      if (word > header_.counts[0]) fail_damaged("a word has a number that none has");
      return word;
    }
    if (there == 0) return 0;
    if (++place == table.buckets) place = 0;
  }
  fail_damaged("the table of words has no gaps");
}

void KenlmProbing::find_words(std::span<const std::string_view> words, NgramWord* numbers) const {
  uint64_t keys[kWordBlock];
  for (size_t begin = 0; begin < words.size(); begin += kWordBlock) {
    const size_t count = std::min(kWordBlock, words.size() - begin);
    for (size_t i = 0; i < count; ++i) {
      keys[i] = kenlm_word_key(words[begin + i]);
      __builtin_prefetch(file_ + layout_.vocabulary.offset +
                         layout_.vocabulary.place(keys[i]) * kVocabularyEntry);
    }
    for (size_t i = 0; i < count; ++i) numbers[begin + i] = find_word(keys[i]);
  }
}

void KenlmProbing::score(const NgramText& text, float* log10_probabilities) const {
  const Tables tables(*this);
  StagedScore<Tables>(tables).score(text, log10_probabilities);
}

}  // namespace llmtool
