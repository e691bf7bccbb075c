// KenLM's binary files, version 5 (github.com/kpu/kenlm, lm/binary_format.cc): a header, the
// vocabulary as hashes, the n-grams, and, if the header says so, the words themselves, each with a
// NUL behind it. Numbers are little-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/file.h"
#include "lib/corpus/ngram/ngram_sink.h"

namespace llmtool {

inline constexpr int kMaxNgramOrder = 20;  // of ours; KenLM is built for 6 unless told otherwise

enum class KenlmKind : uint32_t {
  kProbing = 0,
  kRestProbing = 1,
  kTrie = 2,
  kQuantTrie = 3,
  kArrayTrie = 4,
  kQuantArrayTrie = 5,
};

struct KenlmHeader {
  KenlmKind kind = KenlmKind::kProbing;
  float probing_multiplier = 1.5f;  // buckets per entry of hash tables
  bool has_words = true;
  uint32_t search_version = 0;   // 0 for probing, 1 for tries
  std::vector<uint64_t> counts;  // n-grams of each order

  int order() const { return static_cast<int>(counts.size()); }
  size_t bytes() const;
};

std::string kenlm_header(const KenlmHeader& header);

// Whether a file with these first bytes says it is one, of whatever version.
bool is_kenlm_binary(std::span<const std::byte> file);

// Fault::kInput, naming path, for another version or machine, an unfinished file, a kind that is
// not read here, and counts that the file cannot hold.
KenlmHeader parse_kenlm_header(std::span<const std::byte> file, const fs::path& path);

// MurmurHash64A with seed 0: the key of a word. Words of two spellings mean <unk>.
uint64_t kenlm_word_key(std::string_view word);
bool is_unknown_word(std::string_view word);  // "<unk>", "<UNK>"

// The key of an n-gram goes from its last word to its first: that of the last word is its number,
// and each word before it is put in front by this.
inline uint64_t kenlm_prepend(uint64_t key, NgramWord word) {
  return (key * 8978948897894561157ULL) ^
         (static_cast<uint64_t>(1 + word) * 17894857484156487943ULL);
}

// Unaligned little-endian values.
template <class T>
T load_value(const std::byte* at) {
  T value;
  __builtin_memcpy(&value, at, sizeof value);
  return value;
}
template <class T>
void store_value(std::byte* at, T value) {
  __builtin_memcpy(at, &value, sizeof value);
}

}  // namespace llmtool
