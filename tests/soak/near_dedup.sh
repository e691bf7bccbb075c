#!/usr/bin/env bash
# Near deduplication of 20 GB (MEGABYTES=... for less) of real text with planted duplicates inside
# --memory 2G: the measured peak has to stay below that, and a quarter of the input shows how time
# grows. Needs three times the input in $SCRATCH.
set -euo pipefail
megabytes=${MEGABYTES:-20000}
memory=${MEMORY:-2G}
mkdir -p "$SCRATCH" && cd "$SCRATCH"

near() {  # near NAME: seconds and peak MB on stdout
  python3 - "$LLMTOOL" "$1" "$memory" <<'END'
import os, subprocess, sys, time
llmtool, name, memory = sys.argv[1:]
start = time.monotonic()
process = subprocess.Popen([llmtool, "dedup", "near", f"{name}.jsonl", "-o", f"{name}.kept.jsonl.zst",
                            "--memory", memory, "--overwrite", "-q"], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
if status:
    sys.exit(f"dedup near failed: {status}")
print(f"{time.monotonic() - start:.1f} {usage.ru_maxrss / 1024:.0f}")
END
}

python3 "$SOURCE/tests/bench/corpus_dedup_data.py" "$megabytes" whole.jsonl
head -c $((megabytes * 250000)) whole.jsonl | sed '$d' >quarter.jsonl
for name in quarter whole; do
  read -r seconds peak < <(near $name)
  bytes=$(stat -c %s $name.jsonl)
  echo "$name: $((bytes / 1000000)) MB in $seconds s ($(awk "BEGIN { printf \"%.1f\", $bytes / 1e6 / $seconds }") MB/s), peak $peak MB"
  limit=$(numfmt --from=iec "$memory")
  ((peak * 1048576 <= limit)) || { echo "more than --memory $memory" >&2; exit 1; }
  rm $name.kept.jsonl.zst*
done
rm whole.jsonl quarter.jsonl
