#!/usr/bin/env bash
# Parquet: what a build without it says, before anything is read or written; and with it, documents
# through a file and back.
set -euo pipefail
source "$SOURCE/tests/cli/expect.sh"

printf '{"id":"a","text":"one","metadata":{"n":1}}\n{"id":"b","text":"two"}\n' >in.jsonl

run "$LLMTOOL" list formats && exits 0 && prints ".parquet"
if grep -q '^parquet .* none ' out; then
  prints "not in this build"
  printf 'PAR1' >in.parquet
  for inputs in in.parquet "in.jsonl in.parquet" "--format parquet in.jsonl"; do
    # shellcheck disable=SC2086
    run "$LLMTOOL" dedup exact $inputs -o out.jsonl
    exits 2 && says "this build of llmtool cannot read or write Parquet" && says "LLMTOOL_PARQUET"
    [[ ! -e out.jsonl && ! -e out.jsonl.work ]] || failed "something was written"
  done
  run "$LLMTOOL" stats in.parquet && exits 2 && says "LLMTOOL_PARQUET"
  run "$LLMTOOL" dedup exact in.jsonl -o out.parquet && exits 2 && says "LLMTOOL_PARQUET"
  [[ ! -e out.parquet && ! -e out.parquet.work ]] || failed "something was written"
  exit 0
fi

run "$LLMTOOL" dedup exact in.jsonl -o out.parquet && exits 0
[[ ! -e out.parquet.work ]] || failed "the work folder stays"
[[ $(head -c 4 out.parquet) == PAR1 ]] || failed "out.parquet is no Parquet"
run "$LLMTOOL" dedup exact out.parquet -o back.jsonl && exits 0
run cat back.jsonl && prints '"id":"a","text":"one","metadata":{"n":1}'
run "$LLMTOOL" dedup exact in.jsonl -o out.parquet && exits 2 && says "already there"

cp out.parquet first.parquet
run "$LLMTOOL" dedup exact in.jsonl -o out.parquet --overwrite && exits 0
cmp out.parquet first.parquet || failed "other bytes the second time"

# Truncated, no Parquet at all, and from a pipe.
head -c -10 out.parquet >short.parquet
run "$LLMTOOL" dedup exact short.parquet -o x.jsonl && exits 3 && says "short.parquet: broken Parquet"
run "$LLMTOOL" dedup exact short.parquet in.jsonl -o x.jsonl --skip-bad --overwrite && exits 0
says "short.parquet: broken Parquet" && prints "2"
run "$LLMTOOL" dedup exact --format parquet in.jsonl -o y.jsonl && exits 3 && says "in.jsonl: broken"
run "$LLMTOOL" dedup exact --format parquet - -o y.jsonl --overwrite && exits 2 && says "standard input"
