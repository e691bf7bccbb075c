#!/usr/bin/env bash
# dedup substring, pii and decontaminate as programs: the same bytes at any number of threads, any
# memory and after a kill; what is left behind; what is refused.
set -euo pipefail
source "$SOURCE/tests/cli/expect.sh"

# 2,000 documents, of which many share passages; some hold addresses, some a question of set.jsonl.
python3 - <<'END'
import json, random
rng = random.Random(2)
words = ["".join(rng.choice("abcdefghijklmnop") for _ in range(rng.randint(2, 9))) for _ in range(3000)]
text = lambda n: " ".join(rng.choice(words) for _ in range(n))
passages = [text(80) for _ in range(40)]
questions = [text(40) for _ in range(30)]
with open("set.jsonl", "w") as f:
    for q in questions:
        print(json.dumps({"question": q, "answer": text(3)}), file=f)
with open("in.jsonl", "w") as f:
    for i in range(2000):
        parts = [text(60)]
        if i % 3 == 0: parts.append(rng.choice(passages))
        if i % 7 == 0: parts.append(f"mail someone{i}@somewhere.org or call +44 20 7946 {1000 + i}")
        if i % 50 == 0: parts.append(questions[i // 50 % 30])
        rng.shuffle(parts)
        print(json.dumps({"id": f"d{i}", "text": "\n".join(parts)}), file=f)
lines = open("in.jsonl").read().splitlines(True)
open("a.jsonl", "w").writelines(lines[:900])
open("b.jsonl", "w").writelines(lines[900:])
END

same_bytes substring in.jsonl dedup substring --min-length 30
same_bytes bytes in.jsonl dedup substring --unit bytes
same_bytes pii in.jsonl pii
same_bytes decontaminate in.jsonl decontaminate --against set.jsonl
some_killed

python3 - <<'END'
import json
read = lambda name: [json.loads(line) for line in open(name)]
before, after = read("in.jsonl"), read("substring.jsonl")
assert len(before) == len(after)
grams = lambda t, n: {tuple(w[i:i + n]) for w in [t.split()] for i in range(len(w) - n + 1)}
seen = set()
for old, new in zip(before, after):
    assert not grams(new["text"], 30) & seen, new["id"]  # no repeat stays
    seen |= grams(new["text"], 30)
assert grams("\n".join(d["text"] for d in after), 1) == grams("\n".join(d["text"] for d in before), 1)
masked = "".join(d["text"] for d in read("pii.jsonl"))
assert "somewhere.org" not in masked and "+44" not in masked
assert masked.count("email@example.com") == masked.count("|||PHONE_NUMBER|||") == 286
ids = {d["id"] for d in read("decontaminate.jsonl")}
assert {f"d{i}" for i in range(2000)} - ids == {f"d{i}" for i in range(0, 2000, 50)}
END

# An index: two runs are as one.
run "$LLMTOOL" dedup substring a.jsonl --min-length 30 --index seen --output a.out
exits 0
run "$LLMTOOL" dedup substring b.jsonl --min-length 30 --index seen --output b.out --threads 3
exits 0
cat a.out b.out | cmp - substring.jsonl || failed "an index makes two runs another than one"
run "$LLMTOOL" dedup substring b.jsonl --index seen --output c.out
exits 2
says "made by another rule"
head -c 10 seen/index.json >seen/cut && mv seen/cut seen/index.json
run "$LLMTOOL" dedup substring b.jsonl --min-length 30 --index seen --output c.out
exits 3
says "damaged"

# What matched where, and a set that is none.
run "$LLMTOOL" decontaminate in.jsonl --against 'se?.jsonl' --mode mark --matches m.jsonl.gz --output m.out
exits 0
[[ $(gzip -dc m.jsonl.gz | grep -c '"part": "question"') == 40 ]] || failed "40 lines of matches expected"
cmp <(grep -v contamination m.out) decontaminate.jsonl || failed "marking is not dropping"
echo '{"no": 1}' >bad.jsonl
run "$LLMTOOL" decontaminate in.jsonl --against bad.jsonl
exits 3
says "bad.jsonl:1: no question"
run "$LLMTOOL" decontaminate in.jsonl --against absent.jsonl
exits 4

run "$LLMTOOL" pii in.jsonl --kinds email,foot
exits 2
says "'foot' is no kind of personal data"
run "$LLMTOOL" pii in.jsonl --mode drop --kinds email --output -
exits 0
[[ $(wc -l <out) == 1714 ]] || failed "1,714 documents have no address"
run "$LLMTOOL" dedup substring in.jsonl --unit tokens
exits 2
says "--unit tokens needs --tokenizer"

# Evaluation sets and inputs are not written over.
printf '{"question": "What is the capital of France, as every child knows today?", "answer": "Paris"}\n' >ev.jsonl
cp ev.jsonl kept.jsonl
run "$LLMTOOL" decontaminate in.jsonl --against ev.jsonl --matches ev.jsonl -o clean.jsonl --overwrite
exits 2
says "'ev.jsonl' is read by a step and written by this run"
cmp ev.jsonl kept.jsonl
printf 'BZh91AY&SY' >dump.xml.bz2
run "$LLMTOOL" extract wikipedia dump.xml.bz2
exits 3
says "is packed by bzip2"
run "$LLMTOOL" pii in.jsonl -o masked.jsonl.xz
exits 2
says "xz is not written"
echo hello >hello.xml
run "$LLMTOOL" extract wikipedia hello.xml
exits 3
says "no <page> is in it"
printf '<mediawiki>\n<page><title>A</title>\n<page><title>B</title><text>b b b</text></page>\n' >lost.xml
run "$LLMTOOL" sample lost.xml --format mediawiki --fraction 1 --skip-bad
exits 0
says "lost.xml:2: a <page> without its </page>"
prints "<title>B"
# As many pages without an end as fit a few megabytes, which takes no longer than others.
awk 'BEGIN { for (i = 0; i < 1000000; ++i) print "<page>" }' >pages.xml
run "$LLMTOOL" sample pages.xml --format mediawiki --fraction 1 --skip-bad
exits 0
says "1000000 records that cannot be read"
