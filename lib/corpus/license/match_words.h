// The words of a text as licences are compared by them (license_match.h): what SPDX's matching
// guidelines ignore is left out or marked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace llmtool::license {

struct Word {
  // kSkipped: not compared with licence texts (a bullet, a comment leader, a URL, a copyright line,
  // "all rights reserved"); the rules for headers see it.
  // kUrl: a URL from its scheme (or "www.") to its end, hashed whole.
  // kLineStart: the first word of its line.
  // kSentenceEnd: ".", ";" or ":" follows. kNotice: of a copyright line. kLeader: rem, dnl or c at
  // the start of a line.
  enum Flag : uint8_t {
    kSkipped = 1,
    kUrl = 2,
    kLineStart = 4,
    kSentenceEnd = 8,
    kNotice = 16,
    kLeader = 32
  };

  uint64_t hash = 0;  // word_hash() of its bytes in lower case
  uint32_t begin = 0, end = 0;
  uint8_t flags = 0;

  bool has(Flag flag) const { return (flags & flag) != 0; }
};

inline constexpr uint64_t kHashSeed = 0xCBF29CE484222325u;

constexpr uint64_t hash_byte(uint64_t hash, unsigned char byte) {
  return (hash ^ byte) * 0x100000001B3u;
}

// FNV-1a of a word in lower case.
constexpr uint64_t word_hash(std::string_view word) {
  uint64_t hash = kHashSeed;
  for (const char c : word) hash = hash_byte(hash, static_cast<unsigned char>(c));
  return hash;
}

// Of at most 4 GiB of any bytes, in order. A word is a run of ASCII letters, digits and bytes over
// 0x7F but for those of U+0080-00BF, U+2000-2FFF, U+3000-303F and U+F000-FFFF (punctuation); a "."
// between digits belongs to it. ASCII and U+00C0-00DE are brought to lower case. What stands in
// <...> (up to 160 bytes, no "<" inside) and &...; is none but for URLs.
std::vector<Word> words_of(std::string_view text);

}  // namespace llmtool::license
