#include "lib/corpus/classify/ngram_rows.h"

#include <algorithm>
#include <bit>

#include "lib/base/error.h"

namespace llmtool {
namespace {

constexpr std::string_view kEndOfLine = "</s>", kLabelPrefix = "__label__";
constexpr uint32_t kHashStart = 2166136261u, kHashPrime = 16777619u;
constexpr uint32_t kSpread = 0x9E3779B1u;  // what follows a hash in a table
constexpr size_t kLongestProbe = 4096;

// fastText's FNV-1a: bytes count as signed.
uint32_t hash_byte(uint32_t hash, char byte) {
  return (hash ^ static_cast<uint32_t>(static_cast<int8_t>(byte))) * kHashPrime;
}

uint32_t hash_of(std::string_view text) {
  uint32_t hash = kHashStart;
  for (const char byte : text) hash = hash_byte(hash, byte);
  return hash;
}

bool is_tail(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

bool separates(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0';
}

size_t place(uint32_t key, size_t slots) {
  return static_cast<uint64_t>(key * kSpread) * slots >> 32;
}

void check_probes(size_t probes, std::string_view name) {
  check(probes < kLongestProbe, Fault::kInput, "'", name, "': more than ", kLongestProbe,
        " of its words or n-grams have nearly the same hash, as no training makes them");
}

}  // namespace

NgramRows::NgramRows(const ModelFile& model, std::string_view name)
    : words_(static_cast<int32_t>(model.words.size())),
      word_ngrams_(model.word_ngrams),
      buckets_(static_cast<uint32_t>(model.buckets)),
      min_chars_(static_cast<size_t>(model.min_chars)),
      max_chars_(static_cast<size_t>(model.max_chars)),
      pruned_(model.pruned) {
  if (buckets_ > 0) reciprocal_ = UINT64_MAX / buckets_ + 1;
  dictionary_.resize(std::bit_ceil(2 * (model.words.size() + model.labels.size()) + 1));
  for (const auto* list : {&model.words, &model.labels}) {
    for (const ModelWord& word : *list) {
      add_entry(word.text, static_cast<int32_t>(entries_.size()), name);
    }
  }
  if (pruned_) add_kept(model.kept, name);
}

void NgramRows::add_entry(std::string_view text, int32_t row, std::string_view name) {
  const uint32_t hash = hash_of(text);
  size_t at = place(hash, dictionary_.size());
  for (size_t probes = 0; dictionary_[at].row >= 0; ++probes) {
    check_probes(probes, name);
    at = (at + 1) & (dictionary_.size() - 1);
  }
  dictionary_[at] = {hash, row};
  entries_.push_back(text);
}

void NgramRows::add_kept(const std::vector<std::pair<int32_t, int32_t>>& kept,
                         std::string_view name) {
  kept_.resize(std::bit_ceil(2 * kept.size() + 1));
  filter_.resize(std::bit_ceil(16 * kept.size() + 64) / 64);
  for (const auto& [bucket, row] : kept) {
    const auto key = static_cast<uint32_t>(bucket);
    size_t at = place(key, kept_.size());
    for (size_t probes = 0; kept_[at].row >= 0 && kept_[at].key != key; ++probes) {
      check_probes(probes, name);
      at = (at + 1) & (kept_.size() - 1);
    }
    kept_[at] = {key, words_ + row};
    const size_t bit = place(key, filter_.size() * 64);
    filter_[bit / 64] |= uint64_t{1} << bit % 64;
  }
}

int32_t NgramRows::find_entry(std::string_view word, uint32_t hash) const {
  size_t at = place(hash, dictionary_.size());
  while (dictionary_[at].row >= 0) {
    const Slot slot = dictionary_[at];
    if (slot.key == hash && entries_[static_cast<size_t>(slot.row)] == word) return slot.row;
    at = (at + 1) & (dictionary_.size() - 1);
  }
  return -1;
}

// hash % buckets_, without a division.
inline uint32_t NgramRows::bucket_of(uint32_t hash) const {
  const uint64_t fraction = reciprocal_ * hash;
  return static_cast<uint32_t>(static_cast<unsigned __int128>(fraction) * buckets_ >> 64);
}

inline void NgramRows::append_bucket(uint32_t bucket, std::vector<int32_t>& rows) const {
  if (!pruned_) {
    rows.push_back(words_ + static_cast<int32_t>(bucket));
    return;
  }
  const size_t bit = place(bucket, filter_.size() * 64);
  if ((filter_[bit / 64] >> bit % 64 & 1) == 0) return;
  for (size_t at = place(bucket, kept_.size()); kept_[at].row >= 0;
       at = (at + 1) & (kept_.size() - 1)) {
    if (kept_[at].key == bucket) return rows.push_back(kept_[at].row);
  }
}

// bracketed: "<word>".
void NgramRows::append_characters(std::string_view bracketed, std::vector<int32_t>& rows) const {
  const size_t size = bracketed.size();
  for (size_t begin = 0; begin < size; ++begin) {
    if (is_tail(bracketed[begin])) continue;
    uint32_t hash = kHashStart;
    size_t end = begin;
    for (size_t length = 1; length <= max_chars_ && end < size; ++length) {
      do {
        hash = hash_byte(hash, bracketed[end++]);
      } while (end < size && is_tail(bracketed[end]));
      const bool bracket_alone = length == 1 && (begin == 0 || end == size);
      if (length >= min_chars_ && !bracket_alone) append_bucket(bucket_of(hash), rows);
    }
  }
}

// word: "<word>".
void NgramRows::append_word(std::string& word, std::vector<uint32_t>& hashes,
                            std::vector<int32_t>& rows) const {
  const std::string_view bare(word.data() + 1, word.size() - 2);
  const uint32_t hash = hash_of(bare);
  const int32_t entry = find_entry(bare, hash);
  if (entry >= words_ || (entry < 0 && bare.starts_with(kLabelPrefix))) return;  // a label
  if (entry >= 0) rows.push_back(entry);
  if (max_chars_ > 0 && bare != kEndOfLine) append_characters(word, rows);
  if (word_ngrams_ > 1) hashes.push_back(hash);
}

void NgramRows::append_word_ngrams(const std::vector<uint32_t>& hashes,
                                   std::vector<int32_t>& rows) const {
  // Hashes count as signed here, as in fastText.
  const auto wide = [&](size_t i) {
    return static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(hashes[i])));
  };
  for (size_t i = 0; i < hashes.size(); ++i) {
    uint64_t hash = wide(i);
    const size_t end = std::min(hashes.size(), i + static_cast<size_t>(word_ngrams_));
    for (size_t j = i + 1; j < end; ++j) {
      hash = hash * 116049371 + wide(j);
      append_bucket(static_cast<uint32_t>(hash % buckets_), rows);
    }
  }
}

void NgramRows::append(std::string_view text, std::string& word, std::vector<uint32_t>& hashes,
                       std::vector<int32_t>& rows) const {
  hashes.clear();
  const auto add = [&](std::string_view bare) {
    word.assign(1, '<');
    word.append(bare).push_back('>');
    append_word(word, hashes, rows);
  };
  size_t at = 0;
  while (true) {
    while (at < text.size() && separates(text[at])) ++at;
    if (at == text.size()) break;
    const size_t begin = at;
    while (at < text.size() && !separates(text[at])) ++at;
    const std::string_view bare = text.substr(begin, at - begin);
    if (bare == kEndOfLine) break;  // so does fastText
    add(bare);
  }
  add(kEndOfLine);
  if (word_ngrams_ > 1) append_word_ngrams(hashes, rows);
}

}  // namespace llmtool
