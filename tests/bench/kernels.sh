#!/usr/bin/env bash
# The matrix products of `llmtool bench kernels` beside oneDNN, in turns (kernels_compare.py):
#   tests/bench/kernels.sh PEERS.json [flags of kernels_compare.py] [-- flags of bench kernels]
# Peers: Debian's oneDNN (libdnnl-dev); another one where $ONEDNN is its folder (include/, lib/: e.g.
# a virtual environment with PyPI's onednn and onednn-devel); and the oneDNN inside PyTorch
# where $PYTHON has PyTorch. $LLMTOOL is the program (build/llmtool).
set -euo pipefail
output=${1:?usage: kernels.sh PEERS.json [flags of kernels_compare.py]}
shift
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-python3}

flags=()
if [[ -e /usr/include/oneapi/dnnl/dnnl.hpp ]]; then
  g++ -std=c++20 -O2 "$root/tests/bench/kernels_peer.cpp" -ldnnl -o "$scratch/debian"
  flags+=(--peer "$scratch/debian")
fi
if [[ -n ${ONEDNN:-} ]]; then
  g++ -std=c++20 -O2 -I"$ONEDNN/include" "$root/tests/bench/kernels_peer.cpp" \
    "$ONEDNN/lib/libdnnl.so" -Wl,-rpath,"$ONEDNN/lib",--disable-new-dtags -Wl,-rpath-link,"$ONEDNN/lib" \
    -o "$scratch/newer"
  flags+=(--peer "$scratch/newer")
  # PyPI's newest is a SYCL build: its CPU device is OpenCL's.
  if [[ -e $ONEDNN/lib/libintelocl.so ]]; then
    export OCL_ICD_FILENAMES=$ONEDNN/lib/libintelocl.so
  fi
fi
if "$python" -c 'import torch' 2>"$scratch/no_torch"; then flags+=(--torch); fi
"$python" "$root/tests/bench/kernels_compare.py" --llmtool "${LLMTOOL:-$root/build/llmtool}" \
  "${flags[@]}" --output "$output" "$@"
