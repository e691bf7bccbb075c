// The shingles of a text: what near duplicates have in common.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/corpus/dedup/normaliser.h"

namespace llmtool {

struct ShinglerOptions {
  // words: what stands between white space (as Python's str.split()) of the normalised text;
  // characters: code points of the normalised text.
  bool words = true;
  int size = 5;  // of a shingle, in words or characters
  Normalisation normalisation = Normalisation::kDatatrove;
};

// A shingle is any `size` words (characters) that follow each other; a text that has fewer is one
// shingle, a text without any has none. One thread at a time.
class Shingler {
 public:
  explicit Shingler(ShinglerOptions options);

  // Replaces `hashes` by a hash of 32 bits for each shingle, in order, with repetitions. Sums the
  // XXH3 hashes of the words (mixed code points) as a polynomial modulo 2^64.
  void shingle(std::string_view text, std::vector<uint32_t>& hashes);

  // Appends hashes of 64 bits instead. A text of fewer words than a shingle has, but at least
  // `least`, is one shingle. Returns how many there are.
  size_t append_hashes(std::string_view text, uint64_t least, std::vector<uint64_t>& hashes);

 private:
  void add(uint64_t unit, std::vector<uint64_t>& hashes);
  void add_words(std::vector<uint64_t>& hashes);
  void add_characters(std::vector<uint64_t>& hashes);

  ShinglerOptions options_;
  uint64_t power_ = 1;  // of the base: what the oldest unit was multiplied with
  std::string normalised_;
  std::vector<uint64_t> window_;  // the last `size` units, a ring
  size_t at_ = 0;
  uint64_t count_ = 0, sum_ = 0;
  std::vector<uint64_t> sums_;
};

}  // namespace llmtool
