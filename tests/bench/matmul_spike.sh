#!/usr/bin/env bash
# Builds and runs matmul_spike.cpp at a level: matmul_spike.sh [avx2|avx512|avx512_bf16|amx] [ROUNDS].
# Needs a build in build/ (BUILD).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=${BUILD:-build} level=${1:-avx512} rounds=${2:-9}
wide="-mprefer-vector-width=512"
case $level in
  avx2) flags="-march=haswell -DLLMTOOL_ISA=kAvx2" engine=VectorEngine header=gemm.h peak=f32 ;;
  avx512) flags="-march=skylake-avx512 $wide -DLLMTOOL_ISA=kAvx512" engine=VectorEngine header=gemm.h peak=f32 ;;
  avx512_bf16) flags="-march=cooperlake $wide -DLLMTOOL_ISA=kAvx512Bf16" engine=DotEngine header=dot_engine.h peak=bf16_dot ;;
  amx) flags="-march=sapphirerapids $wide -DLLMTOOL_ISA=kAmx" engine=TileEngine header=amx_tiles.h peak=bf16_tile ;;
  *) echo "matmul_spike.sh: unknown level '$level': avx2, avx512, avx512_bf16 or amx" >&2 && exit 2 ;;
esac
objects=()
for name in error op device threads scratch dtype profile; do
  objects+=("$build/CMakeFiles/lib_base.dir/lib/base/$name.cpp.o")
done
# shellcheck disable=SC2086
g++ -std=c++20 -O3 $flags -DLLMTOOL_ISA_NAMESPACE="$level" -ffp-contract=off -fno-math-errno -w -I. \
  -DLLMTOOL_SPIKE=$engine -DLLMTOOL_SPIKE_ENGINE="\"kernels/matmul/$header\"" \
  tests/bench/matmul_spike.cpp "${objects[@]}" -lpthread -o "$build/matmul_spike"
for threads in 1 2; do
  gflops=$(LLMTOOL_CPU=$level "$build/llmtool" bench peak --json --threads $threads |
    python3 -c "import json, sys; print(json.load(sys.stdin)['peaks']['${peak}_flops_per_second'] * 1e-9)")
  "$build/matmul_spike" "$rounds" $threads "$gflops"
done
