// The tile registers of AMX, and the engines on them.
#pragma once

#include "kernels/matmul/amx_engine.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

// The layout that LDTILECFG reads (Intel SDM vol. 1, 18.2): palette 1, 16 rows of 64 bytes each.
struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t bytes_per_row[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileConfig) == 64);

// In assembly: the intrinsics of g++ 12 want literal register numbers, and do not say that a tile
// load reads memory, so the stores that fill it are dropped.
struct HardwareTiles {
  static void configure() {
    const TileConfig config;
    __asm__ volatile("ldtilecfg %0" : : "m"(config));
  }
  static void release() { __asm__ volatile("tilerelease"); }
  template <int T>
  static void clear() {
    __asm__ volatile("tilezero %%tmm%c0" : : "i"(T));
  }
  // Streams: it will not be read again soon, and should not push out of L1 what will.
  template <int T, bool kStreams = false>
  static void load(const void* p, int64_t stride) {
    if constexpr (kStreams) {
      __asm__ volatile("tileloaddt1 (%0,%1,1), %%tmm%c2"
                       :
                       : "r"(p), "r"(stride), "i"(T)
                       : "memory");
    } else {
      __asm__ volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(p), "r"(stride), "i"(T) : "memory");
    }
  }
  template <class Element, int C, int A, int B>
  static void multiply_add() {
    if constexpr (sizeof(Element) == 1) {
      __asm__ volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(C), "i"(A), "i"(B));
    } else {
      __asm__ volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(C), "i"(A), "i"(B));
    }
  }
  template <int T>
  static void save(void* p, int64_t stride) {
    __asm__ volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(p), "r"(stride), "i"(T) : "memory");
  }
};

using TileEngine = AmxEngine<HardwareTiles, TilesOfBf16>;

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
