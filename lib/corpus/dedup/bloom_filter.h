// A Bloom filter (Bloom 1970): a set of hashes that forgets none and takes some for members that
// are not.
#pragma once

#include <cstdint>
#include <span>

#include "lib/base/file.h"
#include "lib/base/huge_memory.h"

namespace llmtool {

struct BloomShape {
  uint64_t bits = 0;
  int hashes = 0;  // bits that are set for an item

  uint64_t bytes() const { return (bits + 63) / 64 * 8; }
};

// hashes = ceil(log2(1 / rate)); bits: the least with which the rate (1 - e^(-hashes items /
// bits))^hashes is met after so many items. Near -items ln(rate) / ln(2)^2.
BloomShape bloom_shape(uint64_t items, double rate);

// The rate of a filter with so many items.
double false_positive_rate(BloomShape shape, uint64_t items);

// Bit i of an item with hash h: floor((h1 + i h2 mod 2^64) bits / 2^64), where h1 and h2 are two
// mixes of h, h2 odd (double hashing: Kirsch and Mitzenmacher 2006). One thread at a time.
class BloomFilter {
 public:
  explicit BloomFilter(BloomShape shape);

  BloomShape shape() const { return shape_; }
  // False if it was there, or seems so.
  bool insert(uint64_t hash);
  bool contains(uint64_t hash) const;
  // The memory that the two will touch.
  void prefetch(uint64_t hash) const;
  // The share of bits that are set.
  double fill() const;

  // The bits, 64 at a time, little-endian. load() throws Fault::kInput for another size.
  void save(const fs::path& path) const;
  void load(const fs::path& path);

 private:
  BloomShape shape_;
  HugeMemory memory_;
  std::span<uint64_t> words_;
};

}  // namespace llmtool
