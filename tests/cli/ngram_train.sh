#!/usr/bin/env bash
# ngram train as a program: the same model at any number of threads and any memory, from pieces of a
# tokenizer too; what is refused; what a killed run leaves behind.
set -euo pipefail
source "$SOURCE/tests/cli/expect.sh"

python3 - <<'END'
import json, random
rng = random.Random(7)
words = ["".join(rng.choice("abcdefgé") for _ in range(rng.randint(1, 6))) for _ in range(4000)]
weights = [1 / (i + 1) for i in range(len(words))]
with open("docs.jsonl", "w") as docs, open("text.txt", "w") as text:
    for i in range(6000):
        lines = "".join(" ".join(rng.choices(words, weights, k=rng.randint(0, 14))) + "\n" for _ in range(4))
        print(json.dumps({"id": i, "text": lines}), file=docs)
        text.write(lines)
END

train() { run "$LLMTOOL" ngram train "$@"; }
train docs.jsonl -o a.arpa --threads 1 --json && exits 0
python3 - <<'END'
import json
told = json.load(open("out"))
head = open("a.arpa", encoding="utf8").read(400)
assert told["documents"] == 6000 and told["sentences"] == 24000, told
assert [o["order"] for o in told["orders"]] == [1, 2, 3, 4, 5]
for o in told["orders"]:
    assert f"ngram {o['order']}={o['ngrams']}\n" in head, head
    assert o["ngrams"] == o["ngrams_before_pruning"] and o["discounts_estimated"]
END
run "$LLMTOOL" verify a.arpa && exits 0

# Lines of a text are those of its documents; threads, memory and compression change nothing.
train text.txt -o b.arpa.zst --threads 5 --memory 1M -q && exits 0
zstd -dqc b.arpa.zst | cmp a.arpa - || failed "another model"
"$LLMTOOL" ngram train - --format text --threads 2 -o - <text.txt -q | cmp a.arpa - || failed "another model"
train text.txt -o model.klm --threads 1 -q && exits 0
train text.txt -o model2.klm --threads 3 --memory 1M -q && exits 0
cmp model.klm model2.klm
head -c 20 model.klm | grep -q 'mmap lm http' || failed "no KenLM binary"

# Pruning: what is left is what occurs more often.
train text.txt -o pruned.arpa --order 3 --prune 0 0 2 --json && exits 0
python3 - <<'END'
import collections, json
counts = collections.Counter()
for line in open("text.txt", encoding="utf8"):
    words = ["<s>", *line.split(), "</s>"]
    counts.update(tuple(words[i:i + 3]) for i in range(len(words) - 2))
kept = sum(1 for n in counts.values() if n > 2)
told = json.load(open("out"))["orders"][2]
assert told["ngrams"] == kept and told["ngrams_before_pruning"] == len(counts), (told, kept, len(counts))
END

# Pieces are words.
run "$LLMTOOL" tokenizer train text.txt --vocab-size 400 -o tok -q && exits 0
train text.txt -t tok -o pieces.arpa --order 2 --discount-fallback && exits 0
grep -q $'\t▁a' pieces.arpa || grep -q '▁' pieces.arpa || failed "no pieces in the model"
[[ $(sed -n 's/^ngram 1=//p' pieces.arpa) -le 403 ]] || failed "more words than pieces"

# Refused.
train text.txt -o a.arpa && exits 2 && says "a.arpa' is there already" && says "--overwrite"
printf 'a b\n' >tiny.txt
train tiny.txt -o tiny.arpa && exits 3 && says "--discount-fallback" && silent
[[ ! -e tiny.arpa ]]
train tiny.txt -o tiny.arpa --discount-fallback && exits 0
train tiny.txt -o tiny.arpa --fallback-discounts 0.2 3 --overwrite && exits 2 && says "expected 0 to 2"
train tiny.txt -o x.arpa --order 11 && exits 2
train tiny.txt -o x.arpa --prune 2 1 && exits 2 && says "must not fall"
printf 'a <s> b\n' >symbol.txt
train symbol.txt -o x.arpa && exits 3 && says "symbol.txt" && says "<s>" && says "--skip-symbols"
train none.txt -o x.arpa && exits 4 && says "none.txt"
printf '' >empty.txt
train empty.txt -o x.arpa && exits 3 && says "no text"
[[ ! -e x.arpa ]]

# A killed run leaves at most its own half-written file, and an older model is whole.
sha256sum a.arpa >before
for after in 0.05 0.1 0.2 0.4; do
  "$LLMTOOL" ngram train text.txt text.txt text.txt -o a.arpa --overwrite --threads 2 >killed 2>&1 &
  pid=$!
  sleep "$after"
  kill -KILL "$pid" 2>killed || true
  wait "$pid" 2>killed || true
  [[ $(find . -newer before -type f ! -name 'a.arpa*' ! -name killed ! -name before | wc -l) == 0 ]] ||
    failed "temporary files were left"
  sha256sum -c --quiet before 2>killed || break  # it was done before
done
head -n 1 a.arpa | grep -qF '\data\' && tail -n 1 a.arpa | grep -qF '\end\' || failed "half a model"
