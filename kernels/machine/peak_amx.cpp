#include "kernels/machine/peak.h"
#include "kernels/machine/register_loop.h"
#include "kernels/matmul/amx_tiles.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

constexpr double kTileOperations = 2.0 * 16 * 16;  // of a sum, per element of a row

// Loaded from memory, as those of a product are: a tile that TILEZERO made is another thing.
template <int... T>
void load_ones() {
  alignas(64) uint16_t ones[16 * 32];
  for (uint16_t& x : ones) x = 0x3f80;
  (HardwareTiles::load<T>(ones, 64), ...);
}

// Four products an iteration, of elements of a row of `depth`, on the tiles T.
template <int... T, class F>
void multiply_tiles(const RegisterPeak& p, int depth, Stream& s, F&& four) {
  run_on_all_threads(p, 4 * kTileOperations * depth, s, [&](int64_t iterations) {
    HardwareTiles::configure();
    load_ones<T...>();
    for (int64_t i = 0; i < iterations; ++i) four();
    HardwareTiles::release();
  });
}

// One sum: the unit adds to it at its full rate, whatever else the core does.
void bf16_tile_peak_amx(const RegisterPeak& p, Stream& s) {
  multiply_tiles<0, 4, 6>(p, 32, s, [] {
    __asm__ volatile(
        "tdpbf16ps %tmm6, %tmm4, %tmm0\n\ttdpbf16ps %tmm6, %tmm4, %tmm0\n\t"
        "tdpbf16ps %tmm6, %tmm4, %tmm0\n\ttdpbf16ps %tmm6, %tmm4, %tmm0");
  });
}

void int8_tile_peak_amx(const RegisterPeak& p, Stream& s) {
  multiply_tiles<0, 4, 6>(p, 64, s, [] {
    __asm__ volatile(
        "tdpbssd %tmm6, %tmm4, %tmm0\n\ttdpbssd %tmm6, %tmm4, %tmm0\n\t"
        "tdpbssd %tmm6, %tmm4, %tmm0\n\ttdpbssd %tmm6, %tmm4, %tmm0");
  });
}

void bf16_full_tiles_peak_amx(const RegisterPeak& p, Stream& s) {
  multiply_tiles<0, 1, 2, 3, 4, 5, 6, 7>(p, 32, s, [] {
    __asm__ volatile(
        "tdpbf16ps %tmm6, %tmm4, %tmm0\n\ttdpbf16ps %tmm7, %tmm4, %tmm1\n\t"
        "tdpbf16ps %tmm6, %tmm5, %tmm2\n\ttdpbf16ps %tmm7, %tmm5, %tmm3");
  });
}

LLMTOOL_KERNEL(bf16_tile_peak, Device::kCpu, Isa::LLMTOOL_ISA, bf16_tile_peak_amx);
LLMTOOL_KERNEL(int8_tile_peak, Device::kCpu, Isa::LLMTOOL_ISA, int8_tile_peak_amx);
LLMTOOL_KERNEL(bf16_full_tiles_peak, Device::kCpu, Isa::LLMTOOL_ISA, bf16_full_tiles_peak_amx);

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
