#!/usr/bin/env bash
# Writes tests/golden/cli/: the help of every command, and the catalogs that `llmtool list` shows.
# Run it after a change of flags or kernels, and read the difference: tests/cli/golden.sh compares.
#   tests/golden/make_cli.sh [FOLDER]      with the program of $LLMTOOL, else build/llmtool
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
program=${LLMTOOL:-build/llmtool}
folder=${1:-tests/golden/cli}

mkdir -p "$folder"
find "$folder" -name "*.txt" ! -name list_ops_cuda.txt -delete
"$program" --help >"$folder/help.txt"
"$program" list commands --json | sed -n 's/^ *"command": "\(.*\)",$/\1/p' |
  while read -r -a command; do
    "$program" "${command[@]}" --help </dev/null >"$folder/help_$(IFS=_ && echo "${command[*]}").txt"
  done

catalogs=$("$program" list --help | sed -n 's/^  what {\(.*\)}.*/\1/p' | tr , '\n')
for catalog in $catalogs; do
  [[ $catalog == commands || $catalog == ops ]] ||
    "$program" list "$catalog" >"$folder/list_$catalog.txt"
done

# What a build does with Parquet: tests/cli/parquet.sh.
sed -i -E 's/^(parquet +[^ ]+).*/\1/' "$folder/list_formats.txt"

# The levels of the CPU are the same in every build; a build without CUDA says nothing about CUDA.
"$program" list ops | sed -E 's/ +[^ ]+$//' >"$folder/list_ops.txt"
"$program" list ops | sed -nE 's/^([^ ]+) .* yes$/\1/p' >"$folder/list_ops_cuda.txt.new"
if [[ -s $folder/list_ops_cuda.txt.new || ! -e $folder/list_ops_cuda.txt ]]; then
  mv "$folder/list_ops_cuda.txt.new" "$folder/list_ops_cuda.txt"
else
  rm "$folder/list_ops_cuda.txt.new"
fi
