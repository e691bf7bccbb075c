// The loop of min_hash over vectors of kLanes numbers. Included by one file for each level.
#pragma once

#include "kernels/hash/min_hash.h"

namespace llmtool {
namespace {

template <int kLanes>
struct PermutedMinimum {
  using Vector [[gnu::vector_size(kLanes * sizeof(uint32_t))]] = uint32_t;
  using Unaligned [[gnu::vector_size(kLanes * sizeof(uint32_t)), gnu::aligned(4), gnu::may_alias]] =
      uint32_t;

  LLMTOOL_INLINE static Vector load(const uint32_t* p) {
    return *reinterpret_cast<const Unaligned*>(p);
  }

  // kVectors of permutations, kept in registers, over all hashes.
  template <int kVectors>
  LLMTOOL_INLINE static void over_hashes(const MinHash& args, int64_t first) {
    Vector a[kVectors], b[kVectors], least[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      a[v] = load(args.a + first + v * kLanes);
      b[v] = load(args.b + first + v * kLanes);
      least[v] = load(args.signature + first + v * kLanes);
    }
    for (int64_t i = 0; i < args.count; ++i) {
      const uint32_t hash = args.hashes[i];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        Vector x = a[v] * hash + b[v];
        x = (x ^ x >> 15) * 0x2c1b3c6du;
        least[v] = x < least[v] ? x : least[v];
      }
    }
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      *reinterpret_cast<Unaligned*>(args.signature + first + v * kLanes) = least[v];
    }
  }

  LLMTOOL_INLINE static void run(const MinHash& args) {
    constexpr int kMost = 4;
    int64_t first = 0;
    for (; first + kMost * kLanes <= args.permutations; first += kMost * kLanes) {
      over_hashes<kMost>(args, first);
    }
    for (; first + 2 * kLanes <= args.permutations; first += 2 * kLanes) {
      over_hashes<2>(args, first);
    }
    if (first < args.permutations) over_hashes<1>(args, first);
  }
};

}  // namespace
}  // namespace llmtool
