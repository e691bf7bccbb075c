#include "kernels/machine/peak.h"
#include "kernels/machine/register_loop.h"
#include "kernels/matmul/amx_tiles.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

// Tiles 0-3 sum, 4 and 5 times 6 and 7; all of them zero.
void configure() {
  HardwareTiles::configure();
  __asm__ volatile(
      "tilezero %tmm0\n\ttilezero %tmm1\n\ttilezero %tmm2\n\ttilezero %tmm3\n\t"
      "tilezero %tmm4\n\ttilezero %tmm5\n\ttilezero %tmm6\n\ttilezero %tmm7");
}

constexpr double kTileOperations = 4 * 2.0 * 16 * 16;  // of four sums, per element of a row

void bf16_tile_peak_amx(const RegisterPeak& p, Stream& s) {
  run_on_all_threads(p, kTileOperations * 32, s, [](int64_t iterations) {
    configure();
    for (int64_t i = 0; i < iterations; ++i) {
      __asm__ volatile(
          "tdpbf16ps %tmm6, %tmm4, %tmm0\n\ttdpbf16ps %tmm7, %tmm4, %tmm1\n\t"
          "tdpbf16ps %tmm6, %tmm5, %tmm2\n\ttdpbf16ps %tmm7, %tmm5, %tmm3");
    }
    HardwareTiles::release();
  });
}

void int8_tile_peak_amx(const RegisterPeak& p, Stream& s) {
  run_on_all_threads(p, kTileOperations * 64, s, [](int64_t iterations) {
    configure();
    for (int64_t i = 0; i < iterations; ++i) {
      __asm__ volatile(
          "tdpbssd %tmm6, %tmm4, %tmm0\n\ttdpbssd %tmm7, %tmm4, %tmm1\n\t"
          "tdpbssd %tmm6, %tmm5, %tmm2\n\ttdpbssd %tmm7, %tmm5, %tmm3");
    }
    HardwareTiles::release();
  });
}

LLMTOOL_KERNEL(bf16_tile_peak, Device::kCpu, Isa::LLMTOOL_ISA, bf16_tile_peak_amx);
LLMTOOL_KERNEL(int8_tile_peak, Device::kCpu, Isa::LLMTOOL_ISA, int8_tile_peak_amx);

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
