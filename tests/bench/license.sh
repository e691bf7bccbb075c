#!/usr/bin/env bash
# Files a second of `license scan` on one thread, of licensecheck (Debian) and of scancode (PyPI):
#   license.sh WORK [SCANCODE]
# WORK: made by tests/parity/license_debian.py fetch and truth; its judged files are scanned. LLMTOOL
# names the program (build/llmtool). licensecheck gets 1,000 of the files, scancode 60 (its start, which
# loads its index, is measured with one file and taken off). Files are read once before.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
llmtool=${LLMTOOL:-$root/build/llmtool}
work=$(cd "$1" && pwd)
scancode=${2-}
folder=$(mktemp -d "$work/bench.XXXXXX")
trap 'rm -rf "$folder"' EXIT

mapfile -t names < <(python3 -c '
import json, sys
for line in open(sys.argv[1]): print(json.loads(line)["id"])' "$work/truth.jsonl")
printf '%s\0' "${names[@]}" | (cd "$work/trees" && xargs -0 cp --parents -t "$folder")
find "$folder" -type f -exec cat {} + >/dev/null

TIMEFORMAT='%R %U'
seconds() { { time "$@" >/dev/null 2>&1; } 2>&1; }  # wall clock and CPU, for the user
rate() {  # rate TOOL FILES "WALL CPU"
  python3 -c '
import sys
tool, files, (wall, cpu) = sys.argv[1], int(sys.argv[2]), map(float, sys.argv[3].split())
print(f"| {tool} | {files} | {wall:.1f} s | {cpu:.1f} s | {files / cpu:,.0f} |")' "$@"
}
echo "| tool | files | wall | CPU (user) | files/s of CPU |"
echo "|---|---|---|---|---|"
for round in 1 2; do
  rate "llmtool license scan, round $round" ${#names[@]} "$(seconds "$llmtool" license scan --format text \
    --skip-bad --threads 1 --overwrite -o "$folder.jsonl" "$folder")"
  rm -f "$folder".jsonl*
  cd "$folder"
  rate "licensecheck, round $round" 1000 "$(seconds licensecheck --machine --check '.*' "${names[@]:0:1000}")"
done
[[ -n $scancode ]] || exit 0
mkdir "$folder/few" "$folder/one"
cp --parents -t few "${names[@]:0:60}"
cp --parents -t one "${names[0]}"
start=$(seconds "$scancode" --license --quiet -n 0 --json few.json one)
all=$(seconds "$scancode" --license --quiet -n 0 --json few.json few)
rate "scancode, without its start" 59 "$(python3 -c '
import sys
a, b = ([float(x) for x in s.split()] for s in sys.argv[1:])
print(a[0] - b[0], a[1] - b[1])' "$all" "$start")"
