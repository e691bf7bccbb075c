#include "lib/base/rng.h"

#include <cmath>

namespace llmtool {

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> c, std::array<uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53u} * c[0];
    const uint64_t p1 = uint64_t{0xCD9E8D57u} * c[2];
    c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<uint32_t>(p0)};
    k[0] += 0x9E3779B9u;
    k[1] += 0xBB67AE85u;
  }
  return c;
}

namespace {

std::array<uint32_t, 4> block(uint64_t seed, uint64_t stream, uint64_t index) {
  return philox4x32({static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32),
                     static_cast<uint32_t>(stream), static_cast<uint32_t>(stream >> 32)},
                    {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
}

uint64_t join(uint32_t low, uint32_t high) {
  return low | (static_cast<uint64_t>(high) << 32);
}

double unit(uint64_t bits) {
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

}  // namespace

uint64_t Rng::bits(uint64_t index) const {
  const auto r = block(seed_, stream_, index);
  return join(r[0], r[1]);
}

double Rng::uniform(uint64_t index) const {
  return unit(bits(index));
}

double Rng::normal(uint64_t index) const {
  const auto r = block(seed_, stream_, index);
  const double u = 1.0 - unit(join(r[0], r[1]));  // (0, 1]
  const double angle = 2.0 * M_PI * unit(join(r[2], r[3]));
  return std::sqrt(-2.0 * std::log(u)) * std::cos(angle);
}

uint64_t Rng::below(uint64_t index, uint64_t bound) const {
  return static_cast<uint64_t>((static_cast<unsigned __int128>(bits(index)) * bound) >> 64);
}

uint64_t stream_id(const char* name) {
  uint64_t h = 0xcbf29ce484222325u;
  for (; *name != '\0'; ++name) h = (h ^ static_cast<unsigned char>(*name)) * 0x100000001b3u;
  return h;
}

}  // namespace llmtool
