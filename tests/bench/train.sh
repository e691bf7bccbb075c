#!/usr/bin/env bash
# Training speed of the quickstart model, llmtool's and PyTorch's in turns (train_compare.py):
#   tests/bench/train.sh TOKENS [flags of train_compare.py]
# TOKENS is a folder that `llmtool tokenize` wrote. $LLMTOOL is the program (build/llmtool), $PYTHON
# a Python with PyTorch. f32, then bf16.
set -euo pipefail
tokens=${1:?usage: train.sh TOKENS [flags of train_compare.py]}
shift
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
llmtool=${LLMTOOL:-$root/build/llmtool}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$llmtool" train --quiet --config "$root/recipes/quickstart/quickstart.toml" --data "$tokens" \
  --output "$scratch/run" --steps 1 --eval-windows 1 >"$scratch/result"
for dtype in fp32 bf16; do
  "${PYTHON:-python3}" "$root/tests/bench/train_compare.py" --llmtool "$llmtool" --data "$tokens" \
    --config "$scratch/run/model/config.json" --batch 4 --seq-len 256 --dtype "$dtype" "$@"
done
