#!/usr/bin/env bash
# Builds and runs matmul_spike.cpp at a level: matmul_spike.sh [avx512|avx2] [ROUNDS]. Needs a build
# in build/ (BUILD).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=${BUILD:-build} level=${1:-avx512}
case $level in
  avx512) flags="-march=skylake-avx512 -mprefer-vector-width=512 -DLLMTOOL_ISA=kAvx512" ;;
  avx2) flags="-march=haswell -DLLMTOOL_ISA=kAvx2" ;;
  *) echo "matmul_spike.sh: unknown level '$level': avx512 or avx2" >&2 && exit 2 ;;
esac
objects=()
for name in lib_base/lib/base/{error,op,device,threads,scratch,dtype} \
  kernels_$level/kernels/machine/peak_cpu; do
  objects+=("$build/CMakeFiles/${name%%/*}.dir/${name#*/}.cpp.o")
done
# shellcheck disable=SC2086
g++ -std=c++20 -O3 $flags -DLLMTOOL_ISA_NAMESPACE="$level" -ffp-contract=off -fno-math-errno -w -I. \
  tests/bench/matmul_spike.cpp "${objects[@]}" -lpthread -o "$build/matmul_spike"
exec "$build/matmul_spike" "${2:-9}"
