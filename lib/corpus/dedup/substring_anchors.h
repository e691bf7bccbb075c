// Where in a text to look for its repeats.
//
// Take every window of L units (L the least length of a repeat). Of the k-unit grams in it, k = L /
// 2 rounded up, the first with the least hash is its anchor (winnowing, Schleimer et al. 2003).
// Which one that is follows from the units of the window alone, so equal windows have anchors with
// equal hashes at equal places. Hence the earlier copies of a window, if any, are among the windows
// whose anchor has the same hash, and no other pair of windows has to be compared.
//
// The windows that share an anchor follow each other, on average (L - k + 2) / 2 of them; together
// they cover the anchor's region. A text has about 2 / (L - k + 2) anchors a unit, in a text of one
// repeated unit one a unit.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "lib/corpus/dedup/substring_units.h"

namespace llmtool {

struct SubstringRule {
  SubstringUnit unit = SubstringUnit::kWords;
  size_t min_length = 50;  // L, in units
  bool keep_first = true;
};

struct Anchor {
  uint64_t hash;       // of the gram
  uint64_t region[2];  // XXH3, 128 bits, of the values of the region's units
  uint64_t begin;      // of the region, in bytes
  uint32_t bytes;      // of the region, to the end of its last unit
  uint32_t windows;    // that begin in it: the first of them at `begin`

  auto operator<=>(const Anchor&) const = default;
  uint64_t sort_prefix() const { return hash; }
};
static_assert(sizeof(Anchor) == 40);

// Finds anchors piece by piece; keeps its memory, which does not grow with the text. One thread.
class AnchorFinder {
 public:
  explicit AnchorFinder(const SubstringRule& rule);

  // Appends the anchors of the text in their order.
  void find(std::string_view text, std::vector<Anchor>& anchors);

 private:
  struct Least {
    uint64_t hash;
    size_t gram;
  };
  void find_in_piece(size_t windows, std::vector<Anchor>& anchors);
  void push(uint64_t hash, size_t gram);
  void add(size_t first, size_t last, uint64_t hash, std::vector<Anchor>& anchors) const;

  SubstringRule rule_;
  size_t gram_;  // k
  UnitList units_;
  std::vector<Least> least_;  // a ring: candidates for the least hash, hashes not decreasing
  size_t head_ = 0, tail_ = 0;
};

// A rolling hash of the last `length` values: a polynomial modulo 2^61 - 1.
class RollingHash {
 public:
  RollingHash(uint64_t base, size_t length);

  uint64_t pushed(uint64_t hash, uint64_t in) const { return sum(product(hash, base_), in); }
  uint64_t rolled(uint64_t hash, uint64_t in, uint64_t out) const {
    return sum(pushed(hash, in), kPrime - product(out, power_));
  }

 private:
  static constexpr uint64_t kPrime = (uint64_t{1} << 61) - 1;

  static uint64_t sum(uint64_t a, uint64_t b) {
    const uint64_t s = a + b;
    return s >= kPrime ? s - kPrime : s;
  }
  static uint64_t product(uint64_t a, uint64_t b) {
    const auto p = static_cast<unsigned __int128>(a) * b;
    return sum(static_cast<uint64_t>(p) & kPrime, static_cast<uint64_t>(p >> 61));
  }

  uint64_t base_, power_;  // power_ = base ^ length
};

}  // namespace llmtool
