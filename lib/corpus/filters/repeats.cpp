#include "lib/corpus/filters/repeats.h"

#define XXH_INLINE_ALL
#include <algorithm>
#include <array>
#include <bit>
#include <xxhash.h>

namespace llmtool {
namespace {

// Polynomials modulo the prime 2^61 - 1.
constexpr uint64_t kPrime = (uint64_t{1} << 61) - 1;
constexpr uint64_t kByteBase = 0x1656a05b1bd7c2ef % kPrime;
constexpr uint64_t kWordBase = 0x0f3c9a7d52e8b461 % kPrime;

constexpr uint64_t reduced(unsigned __int128 value) {
  const auto low = static_cast<uint64_t>(value) & kPrime;
  const uint64_t sum = low + static_cast<uint64_t>(value >> 61);
  return sum >= kPrime ? sum - kPrime : sum;
}

constexpr uint64_t times(uint64_t a, uint64_t b) {
  return reduced(static_cast<unsigned __int128>(a) * b);
}

constexpr uint64_t minus(uint64_t a, uint64_t b) {
  return a >= b ? a - b : a + kPrime - b;
}

template <size_t N>
constexpr std::array<uint64_t, N> powers(uint64_t base) {
  std::array<uint64_t, N> all{1};
  for (size_t i = 1; i < N; ++i) all[i] = times(all[i - 1], base);
  return all;
}

constexpr auto kBytePowers = powers<512>(kByteBase);
constexpr auto kWordPowers = powers<WordHashes::kLongest + 1>(kWordBase);

uint64_t byte_power(size_t n) {
  if (n < kBytePowers.size()) return kBytePowers[n];
  uint64_t result = 1, base = kByteBase;
  for (; n > 0; n >>= 1) {
    if (n & 1) result = times(result, base);
    base = times(base, base);
  }
  return result;
}

// Horner over parts of eight bytes; inside a part the products add up before they are reduced.
uint64_t polynomial(std::string_view bytes) {
  uint64_t value = 0;
  while (!bytes.empty()) {
    const size_t n = std::min<size_t>(bytes.size(), 8);
    unsigned __int128 sum = static_cast<unsigned __int128>(value) * kBytePowers[n];
    for (size_t i = 0; i < n; ++i) {
      sum += static_cast<unsigned __int128>(static_cast<uint8_t>(bytes[i]) + 1u) *
             kBytePowers[n - 1 - i];
    }
    value = reduced(reduced(sum));
    bytes.remove_prefix(n);
  }
  return value;
}

constexpr uint64_t kNotZero = uint64_t{1} << 63;

size_t slots_for(size_t keys) {
  return std::bit_ceil(std::max<size_t>(keys * 2, 16));
}

}  // namespace

uint64_t hash_of(std::string_view text) {
  const uint64_t hash = XXH3_64bits(text.data(), text.size());
  return hash == 0 ? 1 : hash;
}

void KeySet::clear(size_t keys) {
  const size_t slots = slots_for(keys);
  if (slots > slots_.size() || slots_.size() > (size_t{1} << 22)) slots_.resize(slots);
  mask_ = slots - 1;
  std::fill_n(slots_.begin(), slots, 0);
}

void KeyCounts::clear(size_t keys) {
  const size_t slots = slots_for(keys);
  if (slots > slots_.size() || slots_.size() > (size_t{1} << 22)) slots_.resize(slots);
  mask_ = slots - 1;
  std::fill_n(slots_.begin(), slots, Slot{});
}

void WordHashes::reset(std::string_view text, const std::vector<Word>& words) {
  const size_t n = words.size();
  words_.resize(n + 1);
  joined_.resize(n + 1);
  bytes_.resize(n + 1);
  words_[0] = joined_[0] = 0;
  bytes_[0] = 0;
  for (size_t i = 0; i < n; ++i) {
    const uint64_t value = polynomial(words[i].in(text));
    words_[i + 1] = reduced(static_cast<unsigned __int128>(words_[i]) * kWordBase + value + 1);
    joined_[i + 1] =
        reduced(static_cast<unsigned __int128>(joined_[i]) * byte_power(words[i].bytes) + value);
    bytes_[i + 1] = bytes_[i] + words[i].bytes;
  }
}

uint64_t WordHashes::hash(size_t first, size_t n) const {
  return minus(words_[first + n], times(words_[first], kWordPowers[n])) | kNotZero;
}

uint64_t WordHashes::hash_joined(size_t first, size_t n) const {
  const uint64_t shift = byte_power(bytes_[first + n] - bytes_[first]);
  return minus(joined_[first + n], times(joined_[first], shift)) | kNotZero;
}

}  // namespace llmtool
