// The words of runs of non-spaces that were cut before. The same few thousand runs ("(see",
// "don't", "e.g.,") are most of what is not plain letters in a text, and cutting one costs as much
// as reading a line.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <emmintrin.h>
#include <memory>
#include <string_view>
#include <vector>

#include "lib/corpus/filters/words.h"

namespace llmtool {

// Direct-mapped: a run takes the place of the one that was there.
class RunCache {
 public:
  // A run as it is compared: its bytes, and NULs up to 32.
  class Key {
   public:
    static constexpr size_t kMost = 32;

    // text[begin, end), of 1 to kMost bytes.
    Key(std::string_view text, size_t begin, size_t end) : bytes_(end - begin) {
      std::array<char, kMost> copy;
      const char* from = text.data() + begin;
      if (text.size() - begin < kMost) {
        copy = {};
        std::memcpy(copy.data(), from, bytes_);
        from = copy.data();
      }
      const char* mask = kMask.data() + kMost - bytes_;
      low_ = _mm_and_si128(load(from), load(mask));
      high_ = _mm_and_si128(load(from + 16), load(mask + 16));
    }

    size_t bytes() const { return bytes_; }
    size_t hash() const {
      const __m128i upper = _mm_unpackhi_epi64(low_, high_),
                    lower = _mm_unpacklo_epi64(low_, high_);
      const uint64_t a = half(lower) * 0x9e3779b97f4a7c15 + half(upper);
      const uint64_t b = half(_mm_unpackhi_epi64(lower, lower)) * 0xc2b2ae3d27d4eb4f +
                         half(_mm_unpackhi_epi64(upper, upper));
      return ((a ^ (b << 21 | b >> 43)) + bytes_) * 0xd6e8feb86659fd93 >> (64 - kSlotBits);
    }
    bool operator==(const Key& other) const {
      const __m128i same =
          _mm_and_si128(_mm_cmpeq_epi8(low_, other.low_), _mm_cmpeq_epi8(high_, other.high_));
      return bytes_ == other.bytes_ && _mm_movemask_epi8(same) == 0xffff;
    }

    Key() : low_(_mm_setzero_si128()), high_(low_) {}  // of no run

   private:
    static __m128i load(const char* from) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    }
    static uint64_t half(__m128i v) { return static_cast<uint64_t>(_mm_cvtsi128_si64(v)); }

    static constexpr std::array<char, 2 * kMost> kMask = [] {
      std::array<char, 2 * kMost> mask{};
      for (size_t i = 0; i < kMost; ++i) mask[i] = '\xff';
      return mask;
    }();

    __m128i low_, high_;
    size_t bytes_ = 0;
  };

  // Appends the words of the run that begins at `begin`; false if it is not known.
  bool append(const Key& key, size_t begin, std::vector<Word>& words) const {
    const Slot& slot = slots_[key.hash()];
    if (!(slot.key == key)) return false;
    for (size_t i = 0; i < slot.count; ++i) {
      words.push_back(slot.words[i]);
      words.back().begin += static_cast<uint32_t>(begin);
    }
    return true;
  }

  // words[first...] are those of the run that begins at `begin`.
  void keep(const Key& key, size_t begin, const std::vector<Word>& words, size_t first) {
    const size_t count = words.size() - first;
    if (count > kMostWords) return;
    Slot& slot = slots_[key.hash()];
    slot.key = key;
    slot.count = count;
    for (size_t i = 0; i < count; ++i) {
      slot.words[i] = words[first + i];
      slot.words[i].begin -= static_cast<uint32_t>(begin);
    }
  }

 private:
  static constexpr size_t kSlotBits = 11;
  static constexpr size_t kMostWords = 4;
  struct Slot {
    Key key;
    size_t count = 0;
    std::array<Word, kMostWords> words{};
  };

  std::vector<Slot> slots_ = std::vector<Slot>(size_t{1} << kSlotBits);
};

}  // namespace llmtool
