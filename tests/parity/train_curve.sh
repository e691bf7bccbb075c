#!/usr/bin/env bash
# 500 steps of the quickstart model with llmtool, then the same in PyTorch f32 (train_curve.py):
#   tests/parity/train_curve.sh TOKENS RUN [flags of llmtool train]
# TOKENS is a folder that `llmtool tokenize` wrote, RUN a new folder for the run. $LLMTOOL is the
# program (build/llmtool), $PYTHON a Python with PyTorch.
set -euo pipefail
tokens=${1:?usage: train_curve.sh TOKENS RUN [flags of llmtool train]}
run=${2:?usage: train_curve.sh TOKENS RUN [flags of llmtool train]}
shift 2
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# No checkpoint between the first, where PyTorch starts, and the last.
"${LLMTOOL:-$root/build/llmtool}" train --config "$root/recipes/quickstart/quickstart.toml" \
  --data "$tokens" --output "$run" --steps 500 --dtype f32 --save-initial --save-every 0 \
  --save-minutes 0 --keep-last 2 --eval-every 0 --eval-windows 1 "$@"
"${PYTHON:-python3}" "$root/tests/parity/train_curve.py" --run "$run" --data "$tokens"
