#!/usr/bin/env bash
# The per-ISA kernel objects leave nothing behind that code for an older CPU could run: no weak
# function outside the namespace of its level (the linker may keep that copy for everybody), and no
# initialiser that runs at start-up.
set -euo pipefail

cache() { sed -n "s/^$1:[A-Z]*=//p" "$BUILD/CMakeCache.txt"; }
if [[ $(cache CMAKE_BUILD_TYPE) != Release || -n $(cache LLMTOOL_SANITIZE) ]]; then
  echo "only an optimised build inlines what these objects share: skipped"
  exit 77
fi

# check_objects NAMESPACE OBJECT...: prints what leaks, and fails if anything does.
check_objects() {
  local level=$1 object found=0
  shift
  for object in "$@"; do
    # In a mangled name a namespace is its length and its name.
    if nm --defined-only "$object" | awk '$2 == "W" {print $3}' | grep -v "${#level}$level" |
      c++filt | sed "s|^|$(basename "$object"): weak function: |" | grep .; then
      found=1
    fi
    if readelf -SW "$object" | grep -qE '\.(init_array|ctors)'; then
      echo "$(basename "$object"): code that runs at start-up"
      found=1
    fi
  done
  return $found
}

# expect pass|fail TEXT
expect() {
  local got=pass
  printf '%s\n' "$2" >"$SCRATCH/planted.cpp"
  ${CXX:-g++} -std=c++20 -O2 -march=haswell -c "$SCRATCH/planted.cpp" -o "$SCRATCH/planted.o"
  check_objects avx2 "$SCRATCH/planted.o" >/dev/null || got=fail
  if [[ $got != "$1" ]]; then
    echo "self-test: '$2': $got, expected $1" >&2
    exit 1
  fi
}

rm -rf "$SCRATCH"
mkdir -p "$SCRATCH"
expect pass 'namespace avx2 { void f(float* x) { *x *= 2; } }'
expect pass 'namespace avx2 { template <class T> [[gnu::noinline]] T g(T x) { return x * 2; }
             float f(float x) { return g(x); } }'
expect fail 'template <class T> [[gnu::noinline]] T g(T x) { return x * 2; }
             namespace avx2 { float f(float x) { return g(x); } }'
expect fail 'float start(); namespace avx2 { float x = start(); }'

status=0
for level in avx2 avx512 avx512_bf16 amx; do
  mapfile -t objects < <(find "$BUILD/CMakeFiles/kernels_${level#avx512_}.dir" -name '*.o' 2>/dev/null)
  if ((${#objects[@]} == 0)); then
    echo "no objects of the level $level under $BUILD"
    status=1
    continue
  fi
  check_objects "$level" "${objects[@]}" || status=1
done
exit $status
