#include "lib/corpus/dedup/substring_anchors.h"

#define XXH_INLINE_ALL
#include <algorithm>
#include <bit>
#include <xxhash.h>

#include "lib/base/error.h"

namespace llmtool {
namespace {

constexpr uint64_t kBase = 0x0f3a1c5d7e9b2468;
constexpr size_t kPiece = size_t{1} << 16;  // windows that are looked at together

// The finaliser of MurmurHash3: a polynomial orders grams by their last units, this does not.
uint64_t mixed(uint64_t h) {
  h = (h ^ (h >> 33)) * 0xff51afd7ed558ccd;
  h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53;
  return h ^ (h >> 33);
}

}  // namespace

RollingHash::RollingHash(uint64_t base, size_t length) : base_(base), power_(1) {
  for (size_t i = 0; i < length; ++i) power_ = product(power_, base);
}

AnchorFinder::AnchorFinder(const SubstringRule& rule)
    : rule_(rule), gram_((rule.min_length + 1) / 2) {
  LLMTOOL_ASSERT(rule.min_length > 0);
  least_.resize(std::bit_ceil(rule.min_length - gram_ + 2));
}

void AnchorFinder::find(std::string_view text, std::vector<Anchor>& anchors) {
  const size_t length = rule_.min_length;
  const size_t piece = std::max(kPiece, 4 * length);
  for (size_t from = 0; from < text.size();) {
    list_units(text, from, piece + length - 1, rule_.unit, units_);
    if (units_.size() < length) return;
    const size_t windows = units_.size() - length + 1;
    find_in_piece(windows, anchors);
    if (windows < piece) return;
    from = units_.ends[piece - 1];
  }
}

void AnchorFinder::push(uint64_t hash, size_t gram) {
  const size_t mask = least_.size() - 1;
  while (tail_ != head_ && least_[(tail_ - 1) & mask].hash > hash) --tail_;
  least_[tail_++ & mask] = {hash, gram};
}

void AnchorFinder::find_in_piece(size_t windows, std::vector<Anchor>& anchors) {
  const RollingHash rolling(kBase, gram_);
  const size_t grams = units_.size() - gram_ + 1;
  const size_t in_window = rule_.min_length - gram_ + 1;  // grams
  const size_t mask = least_.size() - 1;
  const uint64_t* values = units_.values.data();
  head_ = tail_ = 0;
  uint64_t hash = 0;
  for (size_t i = 0; i + 1 < gram_; ++i) hash = rolling.pushed(hash, values[i]);
  size_t first = 0;
  Least now{0, 0};
  for (size_t gram = 0; gram < grams; ++gram) {
    const uint64_t in = values[gram + gram_ - 1];
    hash = gram == 0 ? rolling.pushed(hash, in) : rolling.rolled(hash, in, values[gram - 1]);
    push(mixed(hash), gram);
    if (gram + 1 < in_window) continue;
    const size_t window = gram + 1 - in_window;
    if (least_[head_ & mask].gram < window) ++head_;
    const Least least = least_[head_ & mask];
    if (window > 0 && least.gram != now.gram) {
      add(first, window - 1, now.hash, anchors);
      first = window;
    }
    now = least;
  }
  add(first, windows - 1, now.hash, anchors);
}

void AnchorFinder::add(size_t first, size_t last, uint64_t hash,
                       std::vector<Anchor>& anchors) const {
  const size_t end = last + rule_.min_length;
  const XXH128_hash_t region =
      XXH3_128bits(&units_.values[first], (end - first) * sizeof(uint64_t));
  const uint64_t bytes = units_.ends[end - 1] - units_.begins[first];
  check(bytes < (uint64_t{1} << 32), Fault::kInput, "a repeat of ", bytes,
        " bytes cannot be looked for: expected less than 4 GiB between its ends");
  anchors.push_back({hash,
                     {region.high64, region.low64},
                     units_.begins[first],
                     static_cast<uint32_t>(bytes),
                     static_cast<uint32_t>(last - first + 1)});
}

}  // namespace llmtool
