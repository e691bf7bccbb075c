#!/usr/bin/env bash
# Every table of kernels/notes.md, on a machine that does nothing else meanwhile:
#   tests/bench/all.sh OUTPUT [LEVEL...]
# OUTPUT is a folder for the tables and their JSON. LEVEL: avx2, avx512, avx512_bf16, amx; left out,
# those that this CPU offers. $LLMTOOL, $PYTHON (with PyTorch), $ONEDNN as in kernels.sh.
set -euo pipefail
output=${1:?usage: all.sh OUTPUT [LEVEL...]}
shift
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export LLMTOOL=${LLMTOOL:-$root/build/llmtool}
mkdir -p "$output"

levels=("$@")
if (($# == 0)); then
  for level in avx2 avx512 avx512_bf16 amx; do
    if LLMTOOL_CPU=$level "$LLMTOOL" bench peak --rounds 1 >"$output/probe" 2>&1; then
      levels+=("$level")
    fi
  done
  rm -f "$output/probe"
fi

bash "$root/tests/bench/kernels.sh" "$output/peers_kernels.json" 2> >(tee "$output/peers_kernels.txt" >&2)
bash "$root/tests/bench/train_135m.sh" "$output/peers_train.json" 2> >(tee "$output/peers_train.txt" >&2)
for level in "${levels[@]}"; do
  export LLMTOOL_CPU=$level
  echo "== $level"
  "$LLMTOOL" bench peak --threads 1 | tee "$output/peak_1_$level.txt"
  "$LLMTOOL" bench peak | tee "$output/peak_$level.txt"
  "$LLMTOOL" bench kernels --peers "$output/peers_kernels.json" | tee "$output/kernels_$level.txt"
  for dtype in bf16 f32; do
    "$LLMTOOL" bench train --dtype "$dtype" --peers "$output/peers_train.json" |
      tee "$output/train_${dtype}_$level.txt"
  done
done
