#!/usr/bin/env bash
# dedup exact, near and bloom as programs: the same bytes at any number of threads, any memory, from
# files and pipes and after a kill; indexes; what is refused.
set -euo pipefail
source "$SOURCE/tests/cli/expect.sh"

# 3,000 documents of 20 lines out of 4,000; every fourth is an earlier one with a word exchanged.
python3 - >in.jsonl <<'END'
import json, random
rng = random.Random(1)
lines = [" ".join(f"w{rng.randrange(500)}" for _ in range(12)) for _ in range(4000)]
texts = []
for i in range(3000):
    if i % 4 == 3:
        words = rng.choice(texts).split(" ")
        words[rng.randrange(len(words))] = "other"
        text = " ".join(words) if i % 8 == 3 else rng.choice(texts)
    else:
        text = "\n".join(rng.choice(lines) for _ in range(20))
    texts.append(text)
    print(json.dumps({"id": f"d{i}", "text": text, "score": i * 7 % 1000}))
END

same() {  # same NAME COMMAND...: one output whatever the threads, the memory and the way in
  local name=$1
  shift
  run "$LLMTOOL" "$@" in.jsonl --threads 1 --output "$name.jsonl" --rejected "$name.rejected"
  exits 0
  run "$LLMTOOL" "$@" in.jsonl --threads 5 --memory 1M --output "$name.5.jsonl"
  exits 0
  cmp "$name.jsonl" "$name.5.jsonl"
  run bash -c 'cat in.jsonl | "$@"' _ "$LLMTOOL" "$@"
  exits 0
  cmp "$name.jsonl" out
  # Killed at any time, it goes on. (It may also have ended before.)
  for after in 0.05 0.15; do
    rm -rf "$name.killed.jsonl" "$name.killed.jsonl.work"
    (timeout --foreground -s KILL "$after" "$LLMTOOL" "$@" in.jsonl --checkpoint-every 0 \
      --output "$name.killed.jsonl" || true) >/dev/null 2>&1
    if [[ ! -e $name.killed.jsonl ]]; then
      run "$LLMTOOL" "$@" in.jsonl --checkpoint-every 0 --output "$name.killed.jsonl" --resume
      exits 0
    fi
    cmp "$name.jsonl" "$name.killed.jsonl"
  done
}

same first dedup exact
same longest dedup exact --normalise datatrove
same lines dedup exact --unit line
same paragraphs dedup exact --unit paragraph
same near dedup near
same verified dedup near --verify 0.7 --keep highest --keep-by score
same bloom dedup bloom --unit line --expected-items 5000
same ngram dedup bloom --unit ngram --ngram 5 --min-ngram 5 --expected-items 100000

count() { wc -l <"$1"; }
((375 == 3000 - $(count first.jsonl))) || failed "375 copies are in the input"
((700 <= 3000 - $(count near.jsonl))) || failed "750 near duplicates are in the input"
zstd -dcq first.rejected/01-dedup-exact.jsonl.zst | grep -c '"duplicate"' >/dev/null ||
  failed "no rule"

# Nothing is new to an index; it is refused where it is damaged or of other settings.
for step in exact near; do
  run "$LLMTOOL" dedup $step in.jsonl --index "$step.index" --output "$step.1.jsonl"
  exits 0
  run "$LLMTOOL" dedup $step in.jsonl --index "$step.index" --output "$step.2.jsonl"
  exits 0
  [[ ! -s $step.2.jsonl ]] || failed "the index forgot documents"
done
run "$LLMTOOL" dedup exact in.jsonl --index near.index --output no.jsonl
exits 3
says "format is"
run "$LLMTOOL" dedup near in.jsonl --bands 5 --rows 5 --index near.index --output no.jsonl --overwrite
exits 3
says "bands=14"
printf x >>near.index/bands
run "$LLMTOOL" dedup near in.jsonl --index near.index --output no.jsonl --overwrite
exits 3
says "the index is damaged"

run "$LLMTOOL" dedup exact in.jsonl --key metadata.url --output no.jsonl --overwrite
exits 3
says "metadata.url"
run "$LLMTOOL" dedup near in.jsonl --bands 5 --output no.jsonl --overwrite
exits 2
says "--bands and --rows go together"
run "$LLMTOOL" dedup bloom in.jsonl --expected-items 1000000000000 --output no.jsonl --overwrite
exits 2
says "--memory"

# A chain in one process is what pipes make of it.
cat >mix.toml <<'END'
[[step]]
run = "dedup exact"
unit = "line"
[[step]]
run = "dedup near"
shingle-size = 3
END
run "$LLMTOOL" corpus run mix.toml in.jsonl --output chain.jsonl
exits 0
run bash -c '"$1" dedup exact in.jsonl --unit line | "$1" dedup near --shingle-size 3' _ "$LLMTOOL"
exits 0
cmp chain.jsonl out
