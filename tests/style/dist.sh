#!/usr/bin/env bash
# The one file that is given to others: what it needs, and that it starts on an old CPU, without
# CUDA, and with an empty environment.
set -euo pipefail

if grep -q '^LLMTOOL_SANITIZE:STRING=.' "$BUILD/CMakeCache.txt"; then
  echo "a sanitizer's build is not given to others: skipped"
  exit 77
fi
rm -rf "$SCRATCH"
mkdir -p "$SCRATCH"
# A program that needs more than libc has to be refused.
echo 'int main() {}' >"$SCRATCH/planted.cpp"
${CXX:-g++} "$SCRATCH/planted.cpp" -Wl,--no-as-needed -lz -o "$SCRATCH/planted"
if "$SOURCE/cmake/dist.sh" "$SCRATCH/planted" "$BUILD/THIRD_PARTY" "$SCRATCH/planted.d" 2>"$SCRATCH/planted.log" ||
  ! grep -q 'needs libz' "$SCRATCH/planted.log"; then
  echo "self-test: a program that needs libz was not refused" >&2
  exit 1
fi

"$SOURCE/cmake/dist.sh" "$LLMTOOL" "$BUILD/THIRD_PARTY" "$SCRATCH/dist"
program=$SCRATCH/dist/llmtool
env -i CUDA_VISIBLE_DEVICES= "$program" --version
qemu-x86_64 -cpu Haswell "$program" --version

# The operations of the AVX2 level run on that CPU, too.
qemu-x86_64 -cpu Haswell "$BUILD/llmtool_tests" --test-case='rms_norm*' --count 2>/dev/null |
  grep 'unskipped test cases passing the current filters: [1-9]' >/dev/null
qemu-x86_64 -cpu Haswell "$BUILD/llmtool_tests" --test-case='rms_norm*'
