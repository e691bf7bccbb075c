#!/usr/bin/env bash
# Makes the one file that is given to others, with the notices beside it, and checks it:
#   cmake/dist.sh PROGRAM THIRD_PARTY FOLDER
# It needs nothing but libc and libm, is under 60 MiB, and holds no path of this machine. Prints the
# oldest libc it starts with.
set -euo pipefail

program=$1 notices=$2 folder=$3
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
limit=$((60 << 20))
die() {
  echo "dist: error: $1" >&2
  exit 1
}

mkdir -p "$folder"
strip -o "$folder/llmtool.new" "$program"
mv "$folder/llmtool.new" "$folder/llmtool"
cp "$root/LICENSE" "$notices" "$folder/"

file=$folder/llmtool
size=$(stat -c %s "$file")
((size < limit)) || die "$file has $size bytes, more than $limit"
for library in $(readelf -d "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
  case $library in
    libc.so.6 | libm.so.6 | ld-linux-x86-64.so.2) ;;
    *) die "$file needs $library" ;;
  esac
done
if readelf -d "$file" | grep -qE '\((RPATH|RUNPATH)\)'; then die "$file has a run path"; fi
if grep -qF "$root/" "$file"; then die "$file holds the path $root"; fi
floor=$(objdump -T "$file" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n1)
echo "$file: $((size >> 10)) KiB, starts with glibc ${floor#GLIBC_} or newer"
