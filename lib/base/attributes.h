// Compiler attributes that kernels rely on.
#pragma once

// Inlined even without optimisation: keeps helpers of the per-ISA kernel objects from being emitted
// as weak symbols, which the linker could pick for code that must run on an older CPU.
#if defined(__CUDACC__)
#define LLMTOOL_INLINE __host__ __device__ inline __attribute__((always_inline))
#else
#define LLMTOOL_INLINE inline __attribute__((always_inline))
#endif
