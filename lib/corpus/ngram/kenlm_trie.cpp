#include "lib/corpus/ngram/kenlm_trie.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "lib/base/error.h"
#include "lib/corpus/ngram/staged_score.h"

namespace llmtool {
namespace {

constexpr size_t kUnigramBytes = 16;  // log10 probability, back-off, pointer
constexpr unsigned kMaxQuantisedBits = 25;
constexpr uint8_t kQuantisationVersion = 2, kArrayVersion = 0;

uint64_t mask_of(unsigned bits) {
  return (uint64_t{1} << bits) - 1;
}

// Upper bits of pointers that go into an array: where array and records are smallest.
unsigned chopped_bits(uint64_t records, uint64_t next_count, unsigned most) {
  const auto required = static_cast<unsigned>(std::bit_width(next_count));
  unsigned best = 0;
  int64_t lowest = std::numeric_limits<int64_t>::max();
  for (unsigned chop = 0; chop <= std::min(required, most); ++chop) {
    const auto change = static_cast<int64_t>((next_count >> (required - chop)) * 64) -
                        static_cast<int64_t>(records * chop);
    if (change < lowest) {
      lowest = change;
      best = chop;
    }
  }
  return best;
}

// The place of `key` among sorted values: guesses by proportion for a while, then halves.
// value(i) is read for begin <= i < end only.
template <class Value>
bool find_sorted(uint64_t begin, uint64_t end, uint64_t low, uint64_t high, uint64_t key,
                 uint64_t& found, Value&& value) {
  constexpr int kGuesses = 8;
  for (int step = 0; begin < end; ++step) {
    const uint64_t width = end - begin;
    uint64_t middle = begin + width / 2;
    if (step < kGuesses && key >= low && key <= high && high > low) {
      const auto share = static_cast<unsigned __int128>(key - low) * width;
      const auto guess = static_cast<uint64_t>(share / (high - low));
      middle = begin + std::min(guess, width - 1);
    }
    const uint64_t there = value(middle);
    if (there == key) {
      found = middle;
      return true;
    }
    if (there < key) {
      begin = middle + 1;
      low = there;
    } else {
      end = middle;
      high = there;
    }
  }
  return false;
}

}  // namespace

class KenlmTrie::Tables {
 public:
  struct Cursor {
    uint64_t begin, end;  // records of the next order
  };

  explicit Tables(const KenlmTrie& model) : model_(model) {}

  int order() const { return model_.order(); }

  void fetch_unigram(NgramWord word) const { __builtin_prefetch(unigram_at(word)); }

  NgramEntry unigram(NgramWord word, Cursor& cursor) const {
    const std::byte* at = unigram_at(word);
    cursor = {load_value<uint64_t>(at + 8), load_value<uint64_t>(at + kUnigramBytes + 8)};
    check_range(cursor, model_.records_[0].count);
    return {load_value<float>(at), load_value<float>(at + 4), cursor.begin < cursor.end};
  }

  void fetch(Cursor& cursor, int n, NgramWord) const {
    const Records& r = records(n);
    const uint64_t middle = cursor.begin + (cursor.end - cursor.begin) / 2;
    __builtin_prefetch(model_.file_ + r.offset + middle * r.record_bits / 8);
  }

  bool find(Cursor& cursor, int n, NgramWord word, NgramEntry& entry) const {
    const Records& r = records(n);
    uint64_t record = 0;
    if (!model_.find_record(r, cursor.begin, cursor.end, word, record)) return false;
    entry.probability = model_.probability(r, record);
    if (n == order()) return true;
    entry.backoff = model_.backoff(r, record);
    cursor = {model_.pointer(r, record), model_.pointer(r, record + 1)};
    check_range(cursor, r.next_count);
    entry.extends = cursor.begin < cursor.end;
    return true;
  }

 private:
  const Records& records(int n) const { return model_.records_[static_cast<size_t>(n - 2)]; }
  const std::byte* unigram_at(NgramWord word) const {
    return model_.file_ + model_.unigrams_ + word * kUnigramBytes;
  }
  void check_range(const Cursor& cursor, uint64_t count) const {
    if (cursor.begin > cursor.end || cursor.end > count) [[unlikely]] {
      model_.fail_damaged("a pointer leads outside its table");
    }
  }

  const KenlmTrie& model_;
};

KenlmTrie::KenlmTrie(std::unique_ptr<const ModelBytes> bytes, KenlmHeader header, std::string name)
    : bytes_(std::move(bytes)),
      file_(bytes_->bytes().data()),
      header_(std::move(header)),
      name_(std::move(name)) {
  uint64_t at = header_.bytes();
  check_size(at + sizeof(uint64_t));
  word_count_ = load_value<uint64_t>(file_ + at);
  check(word_count_ < header_.counts[0] + 1, Fault::kInput, name_, ": ", word_count_,
        " words in the vocabulary and ", header_.counts[0], " 1-grams");
  word_keys_ = at + sizeof(uint64_t);
  at = word_keys_ + sizeof(uint64_t) * header_.counts[0];
  if (is_quantised()) read_quantisation(at);
  unigrams_ = at;
  at += (header_.counts[0] + 2) * kUnigramBytes;
  lay_out(at);
}

std::string_view KenlmTrie::kind() const {
  switch (header_.kind) {
    case KenlmKind::kQuantTrie:
      return "KenLM quantised trie";
    case KenlmKind::kArrayTrie:
      return "KenLM array trie";
    case KenlmKind::kQuantArrayTrie:
      return "KenLM quantised array trie";
    default:
      return "KenLM trie";
  }
}

bool KenlmTrie::is_quantised() const {
  return header_.kind == KenlmKind::kQuantTrie || header_.kind == KenlmKind::kQuantArrayTrie;
}

bool KenlmTrie::has_arrays() const {
  return header_.kind == KenlmKind::kArrayTrie || header_.kind == KenlmKind::kQuantArrayTrie;
}

void KenlmTrie::fail_damaged(const char* what) const {
  fail(Fault::kInput, concat(name_, ": damaged: ", what));
}

void KenlmTrie::check_size(uint64_t end) const {
  const uint64_t size = bytes_->bytes().size();
  check(end <= size, Fault::kInput, name_, ": ", size, " bytes, expected at least ", end,
        " by its header: is it cut short?");
}

void KenlmTrie::read_quantisation(uint64_t& at) {
  check_size(at + 8);
  const auto version = load_value<uint8_t>(file_ + at);
  check(version == kQuantisationVersion, Fault::kInput, name_, ": quantisation of version ",
        int{version}, ", expected ", int{kQuantisationVersion});
  probability_bits_ = load_value<uint8_t>(file_ + at + 1);
  backoff_bits_ = load_value<uint8_t>(file_ + at + 2);
  for (const unsigned bits : {probability_bits_, backoff_bits_}) {
    check(bits >= 1 && bits <= kMaxQuantisedBits, Fault::kInput, name_, ": values of ", bits,
          " bits, expected 1 to ", kMaxQuantisedBits);
  }
  at += 8;
  for (int n = 2; n <= header_.order(); ++n) {
    Records& r = records_.emplace_back();
    r.probabilities = at;
    at += sizeof(float) << probability_bits_;
    if (n == header_.order()) continue;
    r.backoffs = at;
    at += sizeof(float) << backoff_bits_;
  }
}

void KenlmTrie::lay_out(uint64_t at) {
  records_.resize(static_cast<size_t>(header_.order() - 1));
  if (has_arrays() && header_.order() > 2) {
    check_size(at + 2);
    const auto version = load_value<uint8_t>(file_ + at);
    check(version == kArrayVersion, Fault::kInput, name_, ": pointer arrays of version ",
          int{version}, ", expected ", int{kArrayVersion});
    array_bits_ = load_value<uint8_t>(file_ + at + 1);
  }
  for (int n = 2; n <= header_.order(); ++n) {
    Records& r = records_[static_cast<size_t>(n - 2)];
    const bool last = n == header_.order();
    r.count = header_.counts[static_cast<size_t>(n - 1)];
    r.word_bits = static_cast<unsigned>(std::bit_width(header_.counts[0]));
    r.weight_bits =
        is_quantised() ? probability_bits_ + (last ? 0 : backoff_bits_) : (last ? 31u : 63u);
    if (!last) {
      r.next_count = header_.counts[static_cast<size_t>(n)];
      r.pointer_bits = static_cast<unsigned>(std::bit_width(r.next_count));
      if (has_arrays()) lay_out_array(r, at);
    }
    r.record_bits = r.word_bits + r.weight_bits + r.pointer_bits;
    r.offset = at;
    // One record more for its pointer, and 8 bytes so that whole words can be read.
    at += ((r.count + 1) * r.record_bits + 7) / 8 + sizeof(uint64_t);
    check_size(at);
  }
}

void KenlmTrie::lay_out_array(Records& r, uint64_t& at) const {
  const unsigned chopped = chopped_bits(r.count + 1, r.next_count, array_bits_);
  r.array_count = (r.next_count >> (r.pointer_bits - chopped)) + 1;
  r.pointer_bits -= chopped;
  r.array = (at + 7) / 8 * 8 + sizeof(uint64_t);
  at += sizeof(uint64_t) * (1 + r.array_count) + 7;
  check_size(at);
}

uint64_t KenlmTrie::bits(const Records& r, uint64_t bit) const {
  return load_value<uint64_t>(file_ + r.offset + bit / 8) >> (bit % 8);
}

bool KenlmTrie::find_record(const Records& r, uint64_t begin, uint64_t end, NgramWord word,
                            uint64_t& found) const {
  const uint64_t mask = mask_of(r.word_bits);
  return find_sorted(begin, end, 0, header_.counts[0], word, found,
                     [&](uint64_t i) { return bits(r, i * r.record_bits) & mask; });
}

uint64_t KenlmTrie::pointer(const Records& r, uint64_t record) const {
  const uint64_t bit = record * r.record_bits + r.word_bits + r.weight_bits;
  uint64_t value = bits(r, bit) & mask_of(r.pointer_bits);
  if (r.array_count == 0) return value;
  // The last entry of the array that is not above the record.
  uint64_t first = 0, last = r.array_count;
  while (first < last) {
    const uint64_t middle = first + (last - first) / 2;
    if (load_value<uint64_t>(file_ + r.array + 8 * middle) <= record) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  if (first == 0) fail_damaged("an array of pointers does not begin with 0");
  return (first - 1) << r.pointer_bits | value;
}

float KenlmTrie::probability(const Records& r, uint64_t record) const {
  uint64_t bit = record * r.record_bits + r.word_bits;
  if (!is_quantised()) {
    return std::bit_cast<float>(static_cast<uint32_t>(bits(r, bit)) | 0x80000000u);
  }
  if (r.backoffs != 0) bit += backoff_bits_;
  const uint64_t value = bits(r, bit) & mask_of(probability_bits_);
  return load_value<float>(file_ + r.probabilities + sizeof(float) * value);
}

float KenlmTrie::backoff(const Records& r, uint64_t record) const {
  const uint64_t bit = record * r.record_bits + r.word_bits;
  if (!is_quantised()) return std::bit_cast<float>(static_cast<uint32_t>(bits(r, bit + 31)));
  const uint64_t value = bits(r, bit) & mask_of(backoff_bits_);
  return load_value<float>(file_ + r.backoffs + sizeof(float) * value);
}

NgramWord KenlmTrie::find_word(uint64_t key) const {
  uint64_t found = 0;
  const bool is_there = find_sorted(0, word_count_, 0, ~uint64_t{0}, key, found, [&](uint64_t i) {
    return load_value<uint64_t>(file_ + word_keys_ + sizeof(uint64_t) * i);
  });
  return is_there ? static_cast<NgramWord>(found + 1) : 0;
}

void KenlmTrie::find_words(std::span<const std::string_view> words, NgramWord* numbers) const {
  for (size_t i = 0; i < words.size(); ++i) numbers[i] = find_word(kenlm_word_key(words[i]));
}

void KenlmTrie::score(const NgramText& text, float* log10_probabilities) const {
  const Tables tables(*this);
  StagedScore<Tables>(tables).score(text, log10_probabilities);
}

}  // namespace llmtool
