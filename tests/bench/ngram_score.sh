#!/usr/bin/env bash
# CPU seconds of scoring a text by one model: KenLM's query and `llmtool ngram score`, in turns.
#   tests/bench/ngram_score.sh MODEL.bin TEXT QUERY     QUERY: KenLM's program, built with -O3
# Model and text are read once before; $LLMTOOL is the program. What is counted is all that each
# does: ours reads and writes JSON.
set -euo pipefail
model=$1 text=$2 query=$3
llmtool=${LLMTOOL:-build/llmtool}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 - "$text" >"$folder/in.jsonl" <<'END'
import json, sys
lines = open(sys.argv[1], newline="\n").read().split("\n")
for i in range(0, len(lines), 20):
    print(json.dumps({"text": "\n".join(lines[i : i + 20])}))
END
cat "$model" "$text" >/dev/null
TIMEFORMAT='%U s user, %S s system'
for round in 1 2 3; do
  printf 'KenLM query: ' && time "$query" -v summary "$model" <"$text" >/dev/null 2>&1
  for load in populate copy; do
    printf 'llmtool --load %s: ' $load
    time "$llmtool" ngram score "$folder/in.jsonl" -q --threads 1 --load $load --model "$model" \
      -o /dev/null
  done
done
