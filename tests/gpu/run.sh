#!/usr/bin/env bash
# Checks the CUDA kernels on this machine's GPU and ends with one table: for each operation and
# dtype how far it is from the CPU kernels, whether one row alone and a second run have the same
# bits, and its speed beside this GPU's peaks.
#
#   tests/gpu/run.sh [--allow-no-gpu] [llmtool_tests]
#
# llmtool_tests: the test program of a build with CUDA (default: build/llmtool_tests); it needs libc,
# an NVIDIA driver and cuBLASLt, and can be copied here from another machine. Without a GPU it exits
# 5, or 0 with --allow-no-gpu.
set -euo pipefail

missing=5
tests=""
for argument in "$@"; do
  case "$argument" in
    --allow-no-gpu) missing=0 ;;
    -*) echo "run.sh: unknown flag $argument; see the head of $0" >&2; exit 2 ;;
    *) tests=$argument ;;
  esac
done
tests=${tests:-$(dirname "$0")/../../build/llmtool_tests}

if [[ ! -x $tests ]]; then
  echo "run.sh: $tests is not there: build it with CUDA (make build), or name it" >&2
  exit 2
fi
if ! command -v nvidia-smi >/dev/null || ! nvidia-smi -L 2>/dev/null | grep -q GPU; then
  echo "SKIPPED, NOT RUN ON A GPU: nvidia-smi shows no GPU on this machine" >&2
  exit "$missing"
fi
bytes=$(stat -Lc %s "$tests")
if (( bytes > 60 * 1024 * 1024 )); then
  echo "run.sh: $tests has $bytes bytes, more than the 60 MiB it promises" >&2
  exit 1
fi

nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap --format=csv,noheader
echo "== the cases of tests/kernels and tests/tensor, on each device"
status=0
"$tests" --source-file='*tests/kernels/*,*tests/tensor/memory*' --minimal=true || status=1
echo "== the table"
LLMTOOL_REQUIRE_GPU=1 "$tests" --source-file='*tests/gpu/*' || status=1
exit "$status"
