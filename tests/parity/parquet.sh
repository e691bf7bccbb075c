#!/usr/bin/env bash
# Builds llmtool with Parquet in a folder of its own and compares it with pyarrow (parquet.py).
#   PYTHON=/tmp/references/bin/python tests/parity/parquet.sh [BUILD]
# $PYTHON is a Python with pyarrow, BUILD the folder to build in (build-parquet).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
python=${PYTHON:-python3}
build=${1:-build-parquet}
pyarrow=$("$python" -c 'import pyarrow; print(pyarrow.__path__[0])')

cmake -S . -B "$build" -G Ninja -DLLMTOOL_CUDA=OFF -DLLMTOOL_PARQUET="$pyarrow" >/dev/null
cmake --build "$build" --target llmtool llmtool_tests
"$build/llmtool_tests" --source-file='*tests/io/parquet_test.cpp'
"$python" tests/parity/parquet.py "$build/llmtool"
