// AMX on a CPU without it: the tile instructions fault there, and a handler of SIGILL does what
// they would have done (Intel SDM vol. 2). Slow, but the kernels run as they are: their encodings,
// tile configuration and threads are those of the hardware. Asked for by the environment variable
// LLMTOOL_TEST_EMULATED_AMX=1.
#pragma once

namespace llmtool::test {

// True if the handler is in place: it was asked for, and the CPU has AVX512_BF16 and no AMX.
bool amx_is_emulated();

}  // namespace llmtool::test
