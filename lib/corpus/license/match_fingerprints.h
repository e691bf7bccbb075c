// The texts of the SPDX list as the program carries them: sequences of numbered words
// (data/licenses/README.md), and where short runs of words stand in which of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace llmtool::license {

struct Template {
  std::string expression;
  std::vector<uint16_t> title, body, tail;  // title and tail may be absent from a text
  std::vector<uint8_t> slot;  // body.size() + 1: names may stand before this word of the body
};

class Fingerprints {
 public:
  static constexpr size_t kGram = 4;  // words

  struct Posting {
    uint16_t text;    // which template
    uint16_t weight;  // of how many such postings one is kept: what it stands for
    uint32_t at;      // a word of its body
  };
  struct Postings {
    const Posting* first = nullptr;
    const Posting* last = nullptr;
    const Posting* begin() const { return first; }
    const Posting* end() const { return last; }
  };

  // Bytes of fingerprints.zst. Fault::kInput if they are not.
  explicit Fingerprints(std::string_view compressed);

  const std::vector<Template>& texts() const { return texts_; }
  // 0: a word of no text.
  uint16_t number_of(uint64_t word_hash) const;
  uint64_t hash_of(uint16_t number) const { return hashes_[number]; }
  // Where these kGram words, none of them 0, stand one after another.
  Postings find(const uint16_t* words) const;

 private:
  struct Slot {
    uint64_t key = 0;
    uint32_t first = 0, count = 0;
  };

  void read(std::string_view bytes);
  void number_words(std::string_view words, size_t count);
  void index();
  void insert(uint64_t key, uint32_t first, uint32_t count);

  std::vector<Template> texts_;
  std::vector<uint64_t> hashes_;   // of words, by number
  std::vector<uint64_t> numbers_;  // open addressing: the high 48 bits of a hash, and the number
  std::vector<uint64_t> sketch_;   // one bit for each key that may be there
  std::vector<Slot> slots_;
  std::vector<Posting> postings_;
};

}  // namespace llmtool::license
