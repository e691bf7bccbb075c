#include "tests/kernels/amx_emulation.h"

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <doctest/doctest.h>
#include <ucontext.h>

#include "lib/base/device.h"
#include "lib/base/dtype.h"

namespace llmtool::test {
namespace {

// The tile registers of a thread, and how LDTILECFG shaped them.
struct TileState {
  bool configured;
  uint16_t bytes_per_row[8];
  uint8_t rows[8];
  unsigned char data[8][16][64];
};
thread_local TileState tiles;

// A three-byte VEX instruction of the map 0F38, as all of AMX are (SDM vol. 2, 2.3).
struct Instruction {
  uint8_t opcode, prefix;  // prefix: 0 none, 1 66, 2 F3, 3 F2
  int reg, rm, vvvv;       // register numbers
  bool in_registers;       // ModRM.mod == 3
  const char* address;     // base + displacement
  int64_t stride;          // index * scale
  int length;              // bytes
};

int64_t general(const ucontext_t* context, int number) {
  static constexpr int kOrder[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                     REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                     REG_R12, REG_R13, REG_R14, REG_R15};
  return context->uc_mcontext.gregs[kOrder[number]];
}

// False for what is no such instruction.
bool decode(const uint8_t* p, const ucontext_t* context, Instruction& i) {
  if (p[0] != 0xc4 || (p[1] & 0x1f) != 2) return false;
  const int x = (p[1] & 0x40) != 0 ? 0 : 8, b = (p[1] & 0x20) != 0 ? 0 : 8;
  i.vvvv = (~p[2] >> 3) & 15;
  i.prefix = p[2] & 3;
  i.opcode = p[3];
  const int mod = p[4] >> 6;
  i.reg = p[4] >> 3 & 7;
  i.rm = p[4] & 7;
  i.in_registers = mod == 3;
  i.length = 5;
  i.stride = 0;
  if (i.in_registers) return true;
  int base = i.rm | b;
  if (i.rm == 4) {
    const uint8_t sib = p[i.length++];
    const int index = (sib >> 3 & 7) | x;
    base = (sib & 7) | b;
    if (index != 4) i.stride = general(context, index) << (sib >> 6);
  }
  if (mod == 0 && (base & 7) == 5) return false;  // relative to the instruction: not used here
  int64_t displacement = 0;
  if (mod == 1) {
    displacement = static_cast<int8_t>(p[i.length++]);
  } else if (mod == 2) {
    int32_t wide;
    std::memcpy(&wide, p + i.length, sizeof(wide));
    displacement = wide;
    i.length += 4;
  }
  i.address = reinterpret_cast<const char*>(general(context, base) + displacement);
  return true;
}

void configure(const char* from) {
  if (from[0] != 1) std::abort();  // palette
  tiles = {};
  tiles.configured = true;
  std::memcpy(tiles.bytes_per_row, from + 16, sizeof(tiles.bytes_per_row));
  std::memcpy(tiles.rows, from + 48, sizeof(tiles.rows));
}

void move_rows(const Instruction& i, bool load) {
  if (!tiles.configured) std::abort();  // #UD on hardware
  for (int r = 0; r < tiles.rows[i.reg]; ++r) {
    char* memory = const_cast<char*>(i.address) + r * i.stride;
    unsigned char* row = tiles.data[i.reg][r];
    load ? std::memcpy(row, memory, tiles.bytes_per_row[i.reg])
         : std::memcpy(memory, row, tiles.bytes_per_row[i.reg]);
  }
}

template <class Element, class Sum>
Sum at(int tile, int row, int index) {
  Element v;
  std::memcpy(&v, tiles.data[tile][row] + sizeof(v) * static_cast<size_t>(index), sizeof(v));
  if constexpr (sizeof(v) == 1) {
    return v;
  } else {
    return to_float(v);
  }
}

// reg += rm * vvvv.
template <class Element, class Sum>
void multiply(const Instruction& i) {
  if (!tiles.configured) std::abort();
  constexpr int kGroup = 4 / static_cast<int>(sizeof(Element));
  for (int m = 0; m < tiles.rows[i.reg]; ++m) {
    for (int n = 0; n < tiles.bytes_per_row[i.reg] / 4; ++n) {
      Sum part[4] = {}, sum;
      for (int k = 0; k < tiles.bytes_per_row[i.rm] / 4; ++k) {
        for (int g = 0; g < kGroup; ++g) {
          part[g] += at<Element, Sum>(i.rm, m, kGroup * k + g) *
                     at<Element, Sum>(i.vvvv, k, kGroup * n + g);
        }
      }
      std::memcpy(&sum, tiles.data[i.reg][m] + 4 * n, 4);
      sum += (part[0] + part[1]) + (part[2] + part[3]);
      std::memcpy(tiles.data[i.reg][m] + 4 * n, &sum, 4);
    }
  }
}

bool execute(const Instruction& i) {
  constexpr int kNone = 0, k66 = 1, kF3 = 2, kF2 = 3;
  if (i.opcode == 0x49 && i.prefix == kNone) {
    i.in_registers ? void(tiles.configured = false) : configure(i.address);
  } else if (i.opcode == 0x49 && i.prefix == kF2 && i.in_registers) {
    if (!tiles.configured) std::abort();
    std::memset(tiles.data[i.reg], 0, sizeof(tiles.data[i.reg]));
  } else if (i.opcode == 0x4b && (i.prefix == kF2 || i.prefix == k66)) {  // TILELOADD, TILELOADDT1
    move_rows(i, true);
  } else if (i.opcode == 0x4b && i.prefix == kF3) {
    move_rows(i, false);
  } else if (i.opcode == 0x5c && i.prefix == kF3 && i.in_registers) {
    multiply<bf16, float>(i);
  } else if (i.opcode == 0x5e && i.prefix == kF2 && i.in_registers) {
    multiply<int8_t, int32_t>(i);
  } else {
    return false;
  }
  return true;
}

void on_illegal_instruction(int, siginfo_t*, void* opaque) {
  auto* context = static_cast<ucontext_t*>(opaque);
  auto& at_fault = context->uc_mcontext.gregs[REG_RIP];
  Instruction i;
  if (!decode(reinterpret_cast<const uint8_t*>(at_fault), context, i) || !execute(i)) {
    std::signal(SIGILL, SIG_DFL);  // happens again, and ends the process
    return;
  }
  at_fault += i.length;
}

}  // namespace

// Every time: doctest puts a handler of its own in place as each test case begins.
bool amx_is_emulated() {
  const char* wanted = std::getenv("LLMTOOL_TEST_EMULATED_AMX");
  if (wanted == nullptr || std::strcmp(wanted, "1") != 0) return false;
  if (detected_isa() != Isa::kAvx512Bf16) return false;
  struct sigaction action {};
  action.sa_sigaction = on_illegal_instruction;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  return sigaction(SIGILL, &action, nullptr) == 0;
}

TEST_CASE("AMX emulation: was asked for and is there") {
  if (std::getenv("LLMTOOL_TEST_EMULATED_AMX") == nullptr) return;
  if (detected_isa() == Isa::kAmx) return;
  if (detected_isa() < Isa::kAvx512Bf16) {
    MESSAGE("SKIPPED: the kernels of the AMX level need a CPU with AVX512_BF16");
    return;
  }
  CHECK(amx_is_emulated());
}

}  // namespace llmtool::test
