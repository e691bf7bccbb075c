#include "lib/corpus/ngram/probing_image.h"

#include <algorithm>
#include <cmath>

#include "lib/base/error.h"

namespace llmtool {
namespace {

constexpr size_t kPending = 64;  // n-grams whose entries are on their way into the cache

ProbingTable table_at(uint64_t& offset, uint64_t entries, float multiplier, uint64_t entry_bytes) {
  ProbingTable table;
  table.offset = offset;
  // In single precision, as KenLM computes it.
  table.buckets = std::max<uint64_t>(
      entries + 1, static_cast<uint64_t>(multiplier * static_cast<float>(entries)));
  table.inverse = static_cast<uint64_t>((static_cast<unsigned __int128>(1) << 64) / table.buckets);
  if (table.buckets == 1) table.inverse = ~uint64_t{0};
  offset += table.buckets * entry_bytes;
  return table;
}

void set_sign(std::byte* at, bool negative) {
  const auto bits = load_value<uint32_t>(at);
  store_value(at, negative ? bits | 0x80000000u : bits & 0x7FFFFFFFu);
}

// It is the beginning of a longer one: a back-off of -0 becomes 0.
void set_extended(std::byte* backoff) {
  if (load_value<float>(backoff) == 0) store_value(backoff, 0.0f);
}

}  // namespace

ProbingLayout::ProbingLayout(const KenlmHeader& header) {
  uint64_t at = header.bytes() + kVocabularyHead;
  vocabulary = table_at(at, header.counts[0], header.probing_multiplier, kVocabularyEntry);
  unigrams = at;
  at += (header.counts[0] + 1) * kUnigramEntry;
  for (int n = 2; n <= header.order(); ++n) {
    tables.push_back(table_at(at, header.counts[static_cast<size_t>(n - 1)],
                              header.probing_multiplier,
                              n == header.order() ? kLongestEntry : kMiddleEntry));
  }
  end = at;
}

ProbingBuilder::ProbingBuilder(std::byte* image, const KenlmHeader& header, std::string name)
    : image_(image),
      header_(header),
      layout_(header),
      name_(std::move(name)),
      entries_(header.counts.size() + 1),
      added_(header.counts.size() + 1) {
  const std::string bytes = kenlm_header(header_);
  std::copy_n(reinterpret_cast<const std::byte*>(bytes.data()), bytes.size(), image_);
}

void ProbingBuilder::set_words(const std::vector<std::string>& words) {
  LLMTOOL_ASSERT(words.size() == header_.counts[0] && !words.empty());
  store_value(image_ + header_.bytes() + 4, static_cast<uint32_t>(words.size()));
  const ProbingTable& table = layout_.vocabulary;
  for (size_t w = 1; w < words.size(); ++w) {
    const uint64_t key = kenlm_word_key(words[w]);
    uint64_t place = table.place(key);
    std::byte* at = image_ + table.offset + place * kVocabularyEntry;
    while (const auto there = load_value<uint64_t>(at)) {
      check(there != key, Fault::kInput, name_, ": the word '", words[w],
            "' is there twice, or has the same hash as another");
      place = place + 1 == table.buckets ? 0 : place + 1;
      at = image_ + table.offset + place * kVocabularyEntry;
    }
    store_value(at, key);
    store_value(at + 8, static_cast<uint32_t>(w));
  }
}

std::byte* ProbingBuilder::entry(int order, uint64_t place) const {
  const ProbingTable& table = layout_.tables[static_cast<size_t>(order - 2)];
  return image_ + table.offset + place * (order == header_.order() ? kLongestEntry : kMiddleEntry);
}

std::byte* ProbingBuilder::find(int order, uint64_t key) const {
  const ProbingTable& table = layout_.tables[static_cast<size_t>(order - 2)];
  uint64_t place = table.place(key);
  for (;;) {
    std::byte* at = entry(order, place);
    const auto there = load_value<uint64_t>(at);
    if (there == key) return at;
    if (there == 0) return nullptr;  // there always is a gap: insert() leaves one
    if (++place == table.buckets) place = 0;
  }
}

std::byte* ProbingBuilder::insert(int order, uint64_t key) {
  const ProbingTable& table = layout_.tables[static_cast<size_t>(order - 2)];
  if (++entries_[static_cast<size_t>(order)] >= table.buckets) {
    fail(Fault::kInput,
         concat(name_, ": the table of ", order, "-grams is full: too many ", order,
                "-grams are missing that longer ones end in"),
         "give a larger --multiplier, or do not prune n-grams that others end in");
  }
  uint64_t place = table.place(key);
  while (load_value<uint64_t>(entry(order, place)) != 0) {
    if (++place == table.buckets) place = 0;
  }
  store_value(entry(order, place), key);
  return entry(order, place);
}

std::byte* ProbingBuilder::unigram_backoff(NgramWord word) const {
  return image_ + layout_.unigrams + word * kUnigramEntry + 4;
}

void ProbingBuilder::add_unigram(const Ngram& ngram) {
  std::byte* at = image_ + layout_.unigrams + ngram.words[0] * kUnigramEntry;
  store_value(at, ngram.log10_probability);
  store_value(at + 4, ngram.log10_backoff == 0 ? -0.0f : ngram.log10_backoff);
}

void ProbingBuilder::add(const Ngram& ngram) {
  const auto order = static_cast<int>(ngram.words.size());
  LLMTOOL_ASSERT(order >= 1 && order <= header_.order());
  for (const NgramWord word : ngram.words) LLMTOOL_ASSERT(word < header_.counts[0]);
  check(ngram.log10_probability <= 0 && std::isfinite(ngram.log10_probability) &&
            std::isfinite(ngram.log10_backoff),
        Fault::kInput, name_, ": a ", order, "-gram with log10 probability ",
        ngram.log10_probability, " and back-off ", ngram.log10_backoff,
        ", expected at most 0 and numbers");
  check(++added_[static_cast<size_t>(order)] <= header_.counts[static_cast<size_t>(order - 1)],
        Fault::kInput, name_, ": more ", order, "-grams than the ",
        header_.counts[static_cast<size_t>(order - 1)], " announced");
  if (order == 1) return add_unigram(ngram);
  if (!pending_.empty() && pending_.back().order != order) insert_pending();
  pending_.push_back({pending_words_.size(), order, ngram.log10_probability, ngram.log10_backoff});
  pending_words_.insert(pending_words_.end(), ngram.words.begin(), ngram.words.end());
  const NgramWord* words = &pending_words_[pending_.back().words];
  uint64_t key = words[order - 1];
  for (int i = order - 2; i > 0; --i) key = kenlm_prepend(key, words[i]);
  const auto prefetch = [&](int n, uint64_t k) {
    __builtin_prefetch(entry(n, layout_.tables[static_cast<size_t>(n - 2)].place(k)), 1);
  };
  prefetch(order, kenlm_prepend(key, words[0]));
  if (order > 2) {
    prefetch(order - 1, key);
    uint64_t prefix = words[order - 2];
    for (int i = order - 3; i >= 0; --i) prefix = kenlm_prepend(prefix, words[i]);
    prefetch(order - 1, prefix);
  }
  if (pending_.size() == kPending) insert_pending();
}

void ProbingBuilder::insert_pending() {
  for (const Pending& p : pending_) insert_ngram(p);
  pending_.clear();
  pending_words_.clear();
}

void ProbingBuilder::insert_ngram(const Pending& p) {
  const NgramWord* words = &pending_words_[p.words];
  uint64_t keys[kMaxNgramOrder + 1];  // by length, of the ends of the n-gram
  keys[1] = words[p.order - 1];
  for (int n = 2; n <= p.order; ++n) keys[n] = kenlm_prepend(keys[n - 1], words[p.order - n]);
  std::byte* at = insert(p.order, keys[p.order]);
  store_value(at + 8, p.probability);
  set_sign(at + 8, true);
  if (p.order < header_.order()) {
    store_value(at + 12, p.backoff == 0 ? -0.0f : p.backoff);
  }
  mark_suffix(words, keys, p.order);
  mark_prefix(words, p.order);
}

void ProbingBuilder::mark_suffix(const NgramWord* words, const uint64_t* keys, int order) {
  int basis = order - 1;  // the longest end that is there
  std::byte* found = nullptr;
  while (basis > 1 && (found = find(basis, keys[basis])) == nullptr) --basis;
  std::byte* probability =
      basis == 1 ? unigram_backoff(words[order - 1]) - sizeof(float) : found + 8;
  if (basis < order - 1) make_up(words, keys, basis, load_value<float>(probability), order);
  set_sign(probability, false);
}

void ProbingBuilder::make_up(const NgramWord* words, const uint64_t* keys, int basis,
                             float probability, int order) {
  probability = -std::fabs(probability);
  for (int n = basis + 1; n < order; ++n) {
    // The back-off of the n - 1 words before the last.
    uint64_t context = words[order - 2];
    for (int i = 3; i <= n; ++i) context = kenlm_prepend(context, words[order - i]);
    std::byte* backoff = unigram_backoff(words[order - 2]);
    if (n > 2) {
      std::byte* at = find(n - 1, context);
      backoff = at == nullptr ? nullptr : at + 12;
    }
    if (backoff != nullptr) {
      set_extended(backoff);
      probability += load_value<float>(backoff);
    }
    std::byte* made = insert(n, keys[n]);
    store_value(made + 8, probability);
    set_sign(made + 8, false);
    store_value(made + 12, -0.0f);
  }
}

void ProbingBuilder::mark_prefix(const NgramWord* words, int order) {
  if (order == 2) return set_extended(unigram_backoff(words[0]));
  uint64_t key = words[order - 2];
  for (int i = order - 3; i >= 0; --i) key = kenlm_prepend(key, words[i]);
  std::byte* at = find(order - 1, key);
  check(at != nullptr, Fault::kInput, name_, ": the words before the last of a ", order,
        "-gram are no ", order - 1, "-gram of the model");
  set_extended(at + 12);
}

void ProbingBuilder::finish() {
  insert_pending();
  for (int n = 1; n <= header_.order(); ++n) {
    const uint64_t expected = header_.counts[static_cast<size_t>(n - 1)];
    check(added_[static_cast<size_t>(n)] == expected, Fault::kInput, name_, ": ",
          added_[static_cast<size_t>(n)], " ", n, "-grams, expected ", expected);
  }
}

}  // namespace llmtool
