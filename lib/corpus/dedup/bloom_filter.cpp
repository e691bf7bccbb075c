#include "lib/corpus/dedup/bloom_filter.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "lib/base/error.h"
#include "lib/base/positioned_file.h"

namespace llmtool {
namespace {

constexpr double kMostBits = 1e17;

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
uint64_t mixed(uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

// The places of an item's bits, one after another.
class Places {
 public:
  Places(uint64_t hash, uint64_t bits)
      : at_(mixed(hash + 0x9e3779b97f4a7c15)),
        step_(mixed(hash + 0x3c6ef372fe94f82a) | 1),
        bits_(bits) {}
  uint64_t next() {
    const auto place = static_cast<uint64_t>(static_cast<unsigned __int128>(at_) * bits_ >> 64);
    at_ += step_;
    return place;
  }

 private:
  uint64_t at_, step_, bits_;
};

}  // namespace

BloomShape bloom_shape(uint64_t items, double rate) {
  check(items > 0, Fault::kUsage, "--expected-items is 0, expected at least 1");
  check(rate > 0 && rate < 1, Fault::kUsage, "--false-positive-rate ", rate,
        ", expected a number between 0 and 1");
  BloomShape shape;
  shape.hashes = std::max(1, static_cast<int>(std::ceil(-std::log2(rate))));
  const double bits = std::ceil(-shape.hashes * static_cast<double>(items) /
                                std::log1p(-std::pow(rate, 1.0 / shape.hashes)));
  check(bits < kMostBits, Fault::kUsage, "a filter for ", items, " items at a rate of ", rate,
        " takes ", bits / 8, " bytes");
  shape.bits = std::max<uint64_t>(64, static_cast<uint64_t>(bits));
  return shape;
}

double false_positive_rate(BloomShape shape, uint64_t items) {
  const double empty =
      std::exp(-shape.hashes * static_cast<double>(items) / static_cast<double>(shape.bits));
  return std::pow(1 - empty, shape.hashes);
}

BloomFilter::BloomFilter(BloomShape shape)
    : shape_(shape), memory_(shape.bytes()), words_(memory_.words()) {}

bool BloomFilter::insert(uint64_t hash) {
  Places places(hash, shape_.bits);
  bool is_new = false;
  for (int i = 0; i < shape_.hashes; ++i) {
    const uint64_t place = places.next();
    uint64_t& word = words_[place / 64];
    const uint64_t bit = uint64_t{1} << place % 64;
    is_new |= (word & bit) == 0;
    word |= bit;
  }
  return is_new;
}

bool BloomFilter::contains(uint64_t hash) const {
  Places places(hash, shape_.bits);
  for (int i = 0; i < shape_.hashes; ++i) {
    const uint64_t place = places.next();
    if ((words_[place / 64] >> place % 64 & 1) == 0) return false;
  }
  return true;
}

void BloomFilter::prefetch(uint64_t hash) const {
  Places places(hash, shape_.bits);
  for (int i = 0; i < shape_.hashes; ++i) __builtin_prefetch(&words_[places.next() / 64], 1);
}

double BloomFilter::fill() const {
  uint64_t set = 0;
  for (const uint64_t word : words_) set += static_cast<uint64_t>(std::popcount(word));
  return static_cast<double>(set) / static_cast<double>(shape_.bits);
}

void BloomFilter::save(const fs::path& path) const {
  AtomicFile file(path);
  file.write(words_.data(), words_.size() * sizeof(uint64_t));
  file.commit();
}

void BloomFilter::load(const fs::path& path) {
  const PositionedFile file = PositionedFile::open(path);
  check(file.size() == shape_.bytes(), Fault::kInput, path.string(), ": ", file.size(),
        " bytes, expected ", shape_.bytes());
  file.read(0, words_.data(), shape_.bytes());
}

}  // namespace llmtool
