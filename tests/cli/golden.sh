#!/usr/bin/env bash
# The help of every command and the list of kernels are as they were last agreed to be: a lost
# registration or a flag that changed without notice fails here.
set -euo pipefail
rm -rf "$SCRATCH" && mkdir -p "$SCRATCH"
golden=$SOURCE/tests/golden/cli

LLMTOOL=$LLMTOOL bash "$SOURCE/tests/golden/make_cli.sh" "$SCRATCH"
if [[ ! -s $SCRATCH/list_ops_cuda.txt ]]; then
  cp "$golden/list_ops_cuda.txt" "$SCRATCH/list_ops_cuda.txt"  # a build without CUDA
fi
if ! diff -ru "$golden" "$SCRATCH"; then
  echo "if this is meant: tests/golden/make_cli.sh, and commit what it wrote" >&2
  exit 1
fi

for help in "$golden"/help_*.txt; do
  grep -q '^Example' "$help" || { echo "$help shows no example" >&2; exit 1; }
done
