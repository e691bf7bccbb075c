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

while read -r name command; do
  # shellcheck disable=SC2086
  same_bytes "$name" in.jsonl $command
done <<'END'
first dedup exact
longest dedup exact --normalise datatrove
lines dedup exact --unit line
paragraphs dedup exact --unit paragraph
near dedup near
verified dedup near --verify 0.7 --keep highest --keep-by score
bloom dedup bloom --unit line --expected-items 5000
ngram dedup bloom --unit ngram --ngram 5 --min-ngram 5 --expected-items 100000
END
some_killed

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

# Any file of any index, with a byte changed anywhere or cut short: named, and nothing is written.
head -n 300 in.jsonl >few.jsonl
damaged=0
for step in exact near "bloom --expected-items 1000" substring; do
  name=${step%% *}
  # shellcheck disable=SC2086
  use() { run "$LLMTOOL" dedup $step few.jsonl --index "$1" --output damage.jsonl --overwrite; }
  rm -rf whole.index && use whole.index/ && exits 0
  use whole.index && exits 0
  for file in whole.index/*; do
    size=$(stat -c %s "$file")
    for place in 0 $((size / 4)) $((size / 2)) $((size * 3 / 4)) cut gone; do
      ((size > 0)) || continue
      rm -rf hurt.index && cp -r whole.index hurt.index
      hurt=hurt.index/${file#*/}
      if [[ $place == gone ]]; then
        rm "$hurt"
      elif [[ $place == cut ]]; then
        truncate -s $((size - 2)) "$hurt"
      else
        printf '\001' | dd of="$hurt" bs=1 seek="$place" conv=notrunc status=none
      fi
      cmp -s "$file" "$hurt" 2>/dev/null && continue
      rm -f damage.jsonl
      use hurt.index
      [[ $status == 3 || $status == 2 ]] || failed "$name: damage at $place of $hurt"
      says "hurt.index"
      [[ ! -e damage.jsonl ]] || failed "$name: something was written"
      damaged=$((damaged + 1))
    done
  done
done
((damaged > 40)) || failed "only $damaged damages were tried"

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

# What a step writes besides the documents is an output like any other.
cp in.jsonl own.jsonl
run "$LLMTOOL" dedup near own.jsonl --clusters own.jsonl -o o.jsonl && exits 2 && says "'own.jsonl' is an input and the output"
cmp in.jsonl own.jsonl
echo precious >clusters.jsonl
run "$LLMTOOL" dedup near in.jsonl --clusters clusters.jsonl -o o.jsonl && exits 2 && says "'clusters.jsonl' is already there"
[[ $(cat clusters.jsonl) == precious ]]
run "$LLMTOOL" dedup near in.jsonl --clusters o.jsonl -o o.jsonl && exits 2 && says "'o.jsonl' is written twice"
run "$LLMTOOL" dedup near in.jsonl --clusters clusters.jsonl -o o.jsonl --overwrite && exits 0
grep -q '"clusters.jsonl"' o.jsonl.run.json || failed "clusters are not in the manifest"
printf '[[step]]\nrun = "dedup exact"\nindex = "shared-ix"\n[[step]]\nrun = "dedup near"\nindex = "./shared-ix"\n' >twice.toml
run "$LLMTOOL" corpus run twice.toml in.jsonl -o p.jsonl && exits 2 && says "ix' is written twice"
